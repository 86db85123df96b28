using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using IotGateway.Host.Bench;

namespace IotGateway.Host.Demo;

/// <summary>
/// The folder a demo lives in: the example configuration of this repository (built into the program), with free ports and paths
/// of its own, so that any number of demos run side by side with each other and with a real gateway.
/// </summary>
sealed class DemoFolder
{
    static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    DemoFolder(string root) => Root = root;

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>Its configuration.</summary>
    public string Config => Path.Combine(Root, "config");

    /// <summary>Its log and state.</summary>
    public string Data => Path.Combine(Root, "data");

    /// <summary>Makes it below <paramref name="parent"/>, named by the time.</summary>
    public static DemoFolder Make(string parent, DateTimeOffset now)
    {
        var demo = new DemoFolder(Path.GetFullPath(Path.Combine(parent, "demo-" + now.LocalDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture) + "-" + Environment.ProcessId)));
        Directory.CreateDirectory(Path.Combine(demo.Config, "connectors"));
        var (machinePort, kafkaPort, restPort) = (FreePorts.Take(), FreePorts.Take(), FreePorts.Take());
        var machineLog = Path.Combine(demo.Root, "press-line.log");
        demo.Write("gateway.json", new JsonObject
        {
            ["name"] = "demo",
            ["log"] = new JsonObject { ["walSize"] = "16MiB", ["reserve"] = "16MiB" },
            ["broker"] = new JsonObject { ["listen"] = $"127.0.0.1:{kafkaPort}" },
            ["rest"] = new JsonObject { ["listen"] = $"127.0.0.1:{restPort}" },
            ["commands"] = new JsonObject { ["trustClock"] = true }, // a laptop's or container's clock may not be synchronised
        });
        demo.Copy("simulator", c => { c["listen"] = $"127.0.0.1:{machinePort}"; c["logFile"] = machineLog; });
        demo.Copy("press-line", c => c["endpoint"] = $"tcp://127.0.0.1:{machinePort}");
        demo.Copy("press-log", c => c["path"] = machineLog);
        return demo;
    }

    void Copy(string connector, Action<JsonObject> change)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"demo.{connector}.json")
            ?? throw new InvalidOperationException($"The example '{connector}' is not built in.");
        var config = JsonNode.Parse(stream, documentOptions: Lenient)!.AsObject();
        config.Remove("$schema");
        config.Remove("enabled");
        change(config);
        Write(Path.Combine("connectors", connector + ".json"), config);
    }

    void Write(string name, JsonObject content) => File.WriteAllText(Path.Combine(Config, name), content.ToJsonString(Indented) + "\n");
}
