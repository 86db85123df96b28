using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Acceptance.Tests;

/// <summary>The real gateway as a process of its own, on a folder and ports of its own. Start, kill and start it as often as you like.</summary>
sealed class GatewayUnderTest : IAsyncDisposable
{
    readonly int _restPort = Ports.Free();
    readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    bool _ownRoot;

    /// <param name="root">Its folder; null makes one that goes with the test.</param>
    /// <param name="gatewayOptions">Further options of gateway.json.</param>
    public GatewayUnderTest(string? root = null, Action<JsonObject>? gatewayOptions = null)
    {
        _ownRoot = root is null;
        Root = root ?? Directory.CreateTempSubdirectory("iotgateway-test-").FullName;
        Port = Ports.Free();
        Directory.CreateDirectory(Path.Combine(Config, "connectors"));
        var options = new JsonObject
        {
            ["name"] = "testgw",
            ["log"] = new JsonObject { ["walSize"] = "64MiB" },
            ["broker"] = new JsonObject { ["listen"] = Broker },
            ["rest"] = new JsonObject { ["listen"] = $"127.0.0.1:{_restPort}" },
            ["commands"] = new JsonObject { ["trustClock"] = true },
        };
        gatewayOptions?.Invoke(options);
        File.WriteAllText(Path.Combine(Config, "gateway.json"), options.ToJsonString());
    }

    /// <summary>Its folder.</summary>
    public string Root { get; }

    /// <summary>Its configuration.</summary>
    public string Config => Path.Combine(Root, "config");

    /// <summary>Its data; may be set elsewhere before the first start.</summary>
    public string Data { get => field ?? Path.Combine(Root, "data"); set; }

    /// <summary>Kafka port.</summary>
    public int Port { get; }

    /// <summary>Kafka bootstrap address.</summary>
    public string Broker => $"127.0.0.1:{Port}";

    /// <summary>The process that runs, or ran last.</summary>
    public Tool? Process { get; private set; }

    /// <summary>Environment of the process: preloads and the like.</summary>
    public Dictionary<string, string> Environment { get; } = new() { ["IOTGATEWAY_PLUGINS"] = Path.Combine(Machine.Root, "plugins") };

    /// <summary>Everything the processes so far printed.</summary>
    public string Log => _earlier + (Process?.Output ?? "");
    string _earlier = "";

    /// <summary>Writes a connector's file.</summary>
    public void Connector(string name, JsonObject config) => File.WriteAllText(Path.Combine(Config, "connectors", name + ".json"), config.ToJsonString());

    /// <summary>Starts it and waits until it is ready.</summary>
    public async Task StartAsync(int seconds = 120)
    {
        if (Process is not null) { _earlier += Process.Output; await Process.DisposeAsync(); }
        Process = Tool.Start(Machine.Gateway, ["run", "--config", Config, "--data", Data], Environment);
        await Eventually.TrueAsync(Ready, seconds, () => $"the gateway was not ready:\n{Log}");
    }

    bool Ready()
    {
        if (Process!.Process.HasExited) Assert.Fail($"The gateway ended with {Process.Process.ExitCode}:\n{Log}");
        try
        {
            using var response = _http.Send(new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{_restPort}/health/ready"));
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false; // not listening yet
        }
    }

    /// <summary>kill -9, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        Process!.Signal(Signals.Kill);
        await Process.WaitAsync(10);
    }

    /// <summary>SIGTERM; fails unless it ends with 0 within 12 s.</summary>
    public async Task StopAsync()
    {
        Process!.Signal(Signals.Term);
        Assert.Equal(0, await Process.WaitAsync(12));
    }

    /// <summary>GET below the REST address.</summary>
    public async Task<JsonObject> GetAsync(string path) => (await _http.GetFromJsonAsync<JsonObject>($"http://127.0.0.1:{_restPort}{path}"))!;

    /// <summary>POST of JSON below the REST address; returns the body whatever the status.</summary>
    public async Task<JsonObject> PostAsync(string path, JsonObject body)
    {
        using var response = await _http.PostAsJsonAsync($"http://127.0.0.1:{_restPort}{path}", body);
        return (await response.Content.ReadFromJsonAsync<JsonObject>())!;
    }

    /// <summary>Waits until a connector's state is running.</summary>
    public async Task RunningAsync(string connector, int seconds = 30)
    {
        string? state = null;
        await Eventually.TrueAsync(() =>
            {
                using var response = _http.Send(new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{_restPort}/api/connectors/{connector}"));
                if (response.StatusCode == System.Net.HttpStatusCode.NotFound) return false; // of many it is one of the last to be made
                return (state = (string?)response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonObject>().GetAwaiter().GetResult()!["state"]) == "running";
            }, seconds,
            () => $"connector {connector} is {state}:\n{Log}");
    }

    /// <summary>A command of our own CLI against this gateway.</summary>
    public Task<string> CliAsync(params string[] arguments) => Tool.RunAsync(Machine.Gateway, [.. arguments, "--config", Config]);

    /// <summary>Its folder stays after the test, to be looked into.</summary>
    public string Keep()
    {
        _ownRoot = false;
        return Data;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Process is not null) await Process.DisposeAsync();
        _http.Dispose();
        if (_ownRoot) Directory.Delete(Root, recursive: true);
    }
}
