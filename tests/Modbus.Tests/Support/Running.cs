using IotGateway.Connectors.Modbus;
using IotGateway.Connectors.Modbus.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;
using IotGateway.Testing;

namespace Modbus.Tests.Support;

/// <summary>A connector that runs over a fake context, and what came out of it.</summary>
internal sealed class Running : IAsyncDisposable
{
    readonly SourceDriver _driver;

    Running(ModbusConfig config, FakeContext context, DurableStore store)
    {
        (Context, Store) = (context, store);
        Connector = (ModbusConnector)new ModbusFactory().Create(config, context);
        _driver = new(Connector, store);
    }

    public FakeContext Context { get; }
    public DurableStore Store { get; }
    public ModbusConnector Connector { get; }

    public static async Task<Running> StartAsync(ModbusConfig config, FakeContext? context = null)
    {
        var store = new DurableStore();
        var running = new Running(config, context ?? new FakeContext(store), store);
        await running._driver.StartAsync();
        return running;
    }

    /// <summary>Readings of a tag so far, oldest first.</summary>
    public Reading[] Of(string device, string tag) => [.. Store.Readings.Where(r => r.Tag.Device == device && r.Tag.Name == tag)];

    /// <summary>Waits for a reading of a tag that fits.</summary>
    public async Task<Reading> UntilAsync(string device, string tag, Func<Reading, bool> fits, int seconds = 10, int after = 0)
    {
        await _driver.UntilAsync(_ => Of(device, tag).Skip(after).Any(fits), seconds, $"a reading of {device}/{tag}");
        return Of(device, tag).Skip(after).First(fits);
    }

    public Task UntilAsync(Func<bool> condition, string what, int seconds = 10) => _driver.UntilAsync(_ => condition(), seconds, what);

    public PartHealth? Health(string device, string? tag = null) => Context.Reports.Where(h => h.Device == device && h.Tag == tag).Select(h => (PartHealth?)h).LastOrDefault();

    public Tag Tag(string device, string name) => Context.Tag(device, name, DataType.None)!;

    public ValueTask<CommandResult> WriteAsync(string device, string tag, Value value, ISendGate? gate = null)
        => Connector.ExecuteAsync(new Command { Id = "1", Device = device, Tag = tag, Value = value, Deadline = DateTimeOffset.MaxValue }, gate ?? new Gate(), TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _driver.DisposeAsync();
}

/// <summary>A gate that lets pass, or not, and remembers.</summary>
internal sealed class Gate(bool open = true) : ISendGate
{
    public int Entered { get; private set; }

    public ValueTask<bool> EnterAsync()
    {
        Entered++;
        return new(open);
    }
}
