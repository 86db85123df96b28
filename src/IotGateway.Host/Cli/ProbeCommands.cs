using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using IotGateway.Connect.Configs;
using IotGateway.Host.Hosting;
using IotGateway.Host.Rest;

namespace IotGateway.Host.Cli;

/// <summary>
/// <c>test</c>, <c>browse</c>, <c>read</c>: one connector by hand. While the gateway runs they act on its instance, through REST;
/// else the connector is opened here as a probe, on its own identity and without durable state.
/// </summary>
static class ProbeCommands
{
    public static Command Test()
    {
        var name = Name();
        return Make("test", "Connects, authenticates and says what it saw.", [name], [], r => (r.GetValue(name)!, HttpMethod.Post, "test", Probes.TestAsync));
    }

    public static Command Browse()
    {
        var name = Name();
        var parent = new Argument<string?>("parent") { Description = "Id of the node whose children are wanted; default: the roots.", Arity = ArgumentArity.ZeroOrOne };
        return Make("browse", "Lists what the peer offers.", [name, parent], [], r =>
        {
            var from = r.GetValue(parent);
            return (r.GetValue(name)!, HttpMethod.Get, from is null ? "browse" : "browse?parent=" + Uri.EscapeDataString(from),
                (c, _, _, ct) => Probes.BrowseAsync(c, from, ct));
        });
    }

    public static Command Read()
    {
        var name = Name();
        var tags = new Argument<string[]>("tag") { Description = "Tags as device/tag; default: the first fifty.", Arity = ArgumentArity.ZeroOrMore };
        return Make("read", "Reads tags from the devices now.", [name, tags], [], r =>
        {
            var wanted = r.GetValue(tags) ?? [];
            return (r.GetValue(name)!, HttpMethod.Get, "read" + (wanted.Length == 0 ? "" : "?" + string.Join('&', wanted.Select(t => "tag=" + Uri.EscapeDataString(t)))),
                (c, config, context, ct) => Probes.ReadAsync(c, config, context, wanted, ct));
        });
    }

    static Argument<string> Name() => new("connector") { Description = "Connector name: its file's name without the ending." };

    static Command Make(string verb, string summary, Argument[] arguments, Option[] options, Func<ParseResult, (string Name, HttpMethod Method, string Path, ProbeAction Action)> read)
    {
        var (config, rest, json) = (CommonOptions.Config(), CommonOptions.Rest(), CommonOptions.Json());
        var command = new Command(verb, summary) { config, rest, json };
        foreach (var argument in arguments) command.Add(argument);
        foreach (var option in options) command.Add(option);
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            var (name, method, path, action) = read(r);
            var folder = r.GetValue(config)!;
            var answer = await ByRestAsync(Addresses.Rest(r.GetValue(rest), folder), method, name, path, ct).ConfigureAwait(false)
                ?? await HereAsync(folder, name, action, ct).ConfigureAwait(false);
            if (r.GetValue(json)) Console.WriteLine(answer.ToJsonString());
            else Show(answer);
            return ExitCode.Done;
        }));
        return command;
    }

    /// <summary>The running gateway's answer; null when none runs.</summary>
    static async Task<JsonObject?> ByRestAsync(Uri address, HttpMethod method, string name, string path, CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        using var request = new HttpRequestMessage(method, $"/api/connectors/{Uri.EscapeDataString(name)}/{path}");
        HttpResponseMessage response;
        try { response = await http.SendAsync(request, ct).ConfigureAwait(false); }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError) { return null; }
        using (response)
        {
            JsonObject body;
            try { body = JsonNode.Parse(await response.Content.ReadAsStringAsync(ct).ConfigureAwait(false)) as JsonObject ?? []; }
            catch (JsonException) { throw new CliException($"What answers at {address} is no gateway."); }
            return response.IsSuccessStatusCode ? body : throw new CliException((string?)body["message"] ?? $"The gateway answered {(int)response.StatusCode}.");
        }
    }

    static async Task<JsonObject> HereAsync(DirectoryInfo folder, string name, ProbeAction action, CancellationToken ct)
    {
        var plugins = PluginFolder.Load();
        var loaded = ConfigFolder.Load(folder.FullName, plugins);
        var connector = loaded.Connectors.FirstOrDefault(c => c.Name == name);
        if (connector is null)
        {
            ValidateCommand.Report(loaded, Console.Error);
            throw new CliException($"There is no valid connector '{name}' in {folder}. There are: {string.Join(", ", loaded.Connectors.Select(c => c.Name))}.", ExitCode.Usage);
        }
        try
        {
            return await ProbeProcess.UseAsync(loaded, connector, action, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            throw new CliException(e.Message);
        }
    }

    static void Show(JsonObject answer)
    {
        if ((bool?)answer["connected"] == true) Console.WriteLine($"{answer["connector"]} ({answer["plugin"]}): connected.");
        foreach (var node in answer["nodes"]?.AsArray() ?? [])
            Console.WriteLine($"{((bool)node!["hasChildren"]! ? "+" : " ")} {node["id"]}  {node["name"]}  {node["type"]}  {node["detail"]}");
        foreach (var reading in answer["readings"]?.AsArray() ?? [])
            Console.WriteLine($"{reading!["device"]}/{reading["tag"]} = {reading["value"]}{(reading["label"] is { } label ? $" ({label})" : "")} {reading["unit"]}  {reading["quality"]} {reading["status"]}");
    }
}
