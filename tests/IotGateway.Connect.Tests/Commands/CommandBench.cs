using System.Text;
using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Connect.Tasks;
using IotGateway.Connect.Tests.EventLog;
using IotGateway.Connect.Tests.Tasks;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Commands;

/// <summary>A worker with one fake device whose commands the tests send; derived classes hold the tests.</summary>
public abstract class CommandBench : IAsyncDisposable
{
    private protected readonly MemoryEventLog _log = new();
    private protected readonly Script _script = new() { Roles = ConnectorRoles.Source | ConnectorRoles.Commands | ConnectorRoles.Readable };
    private protected CommandsConfig _config = new();
    private protected WriteRule _rule = new() { Min = 0, Max = 120 };
    private protected Worker? _worker;
    private protected Instance _device = null!;
    private protected bool _synchronised = true;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_worker is not null) await _worker.DisposeAsync();
    }

    private protected async Task StartAsync(bool open = true)
    {
        _worker = await Gateway.StartAsync(_log, Loaded(), options: new() { InstallId = "test0000", ClockSynchronised = () => _synchronised });
        if (!open) return;
        _device = await _script.NextAsync();
        await Gateway.UntilAsync(() => _worker.Snapshot("press-line")!.State == RunState.Running, "running");
    }

    private protected LoadedConfig Loaded()
    {
        var config = new FakeConfig { Tags = [new("press1", "setpoint", DataType.UInt16, null, _rule), new("press1", "mode", DataType.Int32, null, null), new("press2", "setpoint", DataType.UInt16, null, _rule)] };
        var loaded = Gateway.Config(Gateway.Connector("press-line", _script, new() { Connector = "fake", Retry = new() { Initial = TimeSpan.FromMilliseconds(20), Max = TimeSpan.FromMilliseconds(20) } }, config, hash: _rule.ToString()));
        return loaded with { Gateway = loaded.Gateway with { Commands = _config } };
    }

    private protected static string Json(string id, object? value = null, string gateway = Gateway.Name, string device = "press1", string? tag = "setpoint", string extra = "", double ttl = 30, double age = 0)
    {
        var now = DateTimeOffset.UtcNow;
        return $$"""{"gateway":"{{gateway}}","id":"{{id}}","connector":"press-line","device":"{{device}}","tag":"{{tag}}","value":{{JsonSerializer.Serialize(value ?? 60)}},"issuer":"mes","issuedAt":"{{now.AddSeconds(-age):O}}","deadline":"{{now.AddSeconds(ttl - age):O}}"{{extra}}}""";
    }

    private protected async Task<JsonElement> SendAsync(string json)
    {
        var outcome = await _worker!.Commands.SubmitAsync(Encoding.UTF8.GetBytes(json), TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.NotNull(outcome);
        return JsonDocument.Parse(outcome).RootElement;
    }

    private protected async Task ReadingAsync(string tag, Value value, DateTime? at = null)
    {
        var t = _device.Context.Tag("press1", tag, value.Type)!;
        _device.Put(new Reading(t, value, default, at ?? DateTime.UtcNow));
        await _log.UntilAsync(() => _device.Context.TryGetLast(t, out var last) && last.Value == value, "last value");
    }

    private protected static (string? Status, string? Check, bool Final, bool Sent) Short(JsonElement o)
        => (o.GetProperty("status").GetString(), o.GetProperty("check").GetString(), o.GetProperty("final").GetBoolean(), o.GetProperty("sent").GetBoolean());

    private protected int Executed => _script.Noted().Count(c => c.StartsWith("execute", StringComparison.Ordinal));
    private protected IReadOnlyList<JsonElement> Outcomes => [.. _log.Texts("gateway.outcomes").Select(t => JsonDocument.Parse(t).RootElement)];
}
