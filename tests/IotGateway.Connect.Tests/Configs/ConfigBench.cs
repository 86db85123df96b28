using IotGateway.Connect.Configs;
using IotGateway.Connect.Plugins;

namespace IotGateway.Connect.Tests.Configs;

/// <summary>A configuration folder on disk that goes with the test, and the plugins it is read with.</summary>
internal sealed class ConfigBench : IDisposable
{
    public const string Valid = """
        {
          "connector": "bench",
          "endpoint": "tcp://127.0.0.1:502",
          "devices": [
            { "name": "press1", "tags": [ { "name": "temperature", "type": "float32", "unit": "°C" } ] }
          ]
        }
        """;

    public ConfigBench()
    {
        Folder = Directory.CreateTempSubdirectory("iotgateway-config-").FullName;
        Directory.CreateDirectory(Path.Combine(Folder, "connectors"));
        Write("gateway.json", """{ "name": "plant-north" }""");
    }

    public string Folder { get; }

    public Dictionary<string, string> Environment { get; } = [];

    public PluginCatalog Plugins { get; init; } = PluginCatalog.Of(Plugin.From(new BenchFactory()), Plugin.From(new DrainFactory()));

    public ConfigBench Write(string file, string text)
    {
        File.WriteAllText(Path.Combine(Folder, file), text);
        return this;
    }

    public ConfigBench Connector(string name, string text) => Write($"connectors/{name}.json", text);

    public LoadedConfig Load() => ConfigFolder.Load(Folder, Plugins, Environment.GetValueOrDefault);

    /// <summary>Problems of a single connector file, without its folder: "line:column: path: message".</summary>
    public IReadOnlyList<string> ProblemsOf(string text)
    {
        Connector("line", text);
        var prefix = Path.Combine(Folder, "connectors", "line.json") + ":";
        return [.. Load().Problems.Select(p => p.ToString().Replace(prefix, "", StringComparison.Ordinal).Replace(Folder + "/", "", StringComparison.Ordinal))];
    }

    /// <summary>The configuration record of a single valid connector file.</summary>
    public T Read<T>(string text)
    {
        Connector("line", text);
        var loaded = Load();
        Assert.Empty(loaded.Problems);
        return Assert.IsType<T>(Assert.Single(loaded.Connectors).Config);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
