using System.Runtime.CompilerServices;
using IotGateway.Connectors.Modbus.Client;
using IotGateway.Connectors.Modbus.Config;
using IotGateway.Connectors.Modbus.Model;
using IotGateway.Connectors.Modbus.Polling;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;

namespace IotGateway.Connectors.Modbus;

/// <summary>
/// Polls Modbus TCP devices, reads on demand, and writes. A device that is away is a state of that device, not a fault of the
/// connector: opening succeeds, the device is reported down and its tags bad, and polling resumes by itself within seconds.
/// </summary>
/// <remarks>Reading, fresh reads and commands run concurrently; each endpoint's bus serialises what goes to it, commands first.</remarks>
internal sealed class ModbusConnector : ISource, IReadable, ICommandTarget
{
    const int BufferedReadings = 50_000;

    readonly ConnectorContext _context;
    readonly ModbusModel _model;
    readonly Dictionary<EndpointModel, Lease<Bus>> _leases = [];
    readonly FreshReader _reader;
    readonly CommandWriter _writer;
    readonly Dictionary<(string Device, string Name), Tag> _tags;

    /// <summary>Makes one; nothing is touched before <see cref="OpenAsync"/>.</summary>
    public ModbusConnector(ModbusConfig config, ConnectorContext context)
    {
        _context = context;
        _model = new(config, context);
        _reader = new(_model, BusOf, context.Time);
        _writer = new(_model, BusOf);
        _tags = _model.Endpoints.SelectMany(e => e.Devices).SelectMany(d => d.Points).ToDictionary(p => (p.Tag.Device, p.Tag.Name), p => p.Tag);
    }

    /// <summary>Takes a share of every endpoint's bus. A probe connects to each, and fails where that fails.</summary>
    public async ValueTask OpenAsync(OpenMode mode, CancellationToken ct)
    {
        foreach (var endpoint in _model.Endpoints)
        {
            var settings = endpoint.Settings;
            _leases[endpoint] = await _context.ShareAsync(settings.Key, settings.Words, _ => ValueTask.FromResult(new Bus(settings, _context.Time)), ct).ConfigureAwait(false);
            if (mode == OpenMode.Probe) await BusOf(endpoint).ConnectAsync(patient: false, ct).ConfigureAwait(false);
        }
        foreach (var device in _model.Config.Devices)
        {
            if (!device.Enabled) _context.Report(new(device.Name, null, PartState.Disabled, null, null, null));
            foreach (var tag in ConfigRules.TagsOf(_model.Config, device).Where(t => device.Enabled && !t.Enabled))
                _context.Report(new(device.Name, tag.Name, PartState.Disabled, null, null, null));
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<SourceBatch> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        using var buffer = new ReadingBuffer(BufferedReadings);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var pollers = _model.Endpoints.Select(e => new EndpointPoller(e, _model.Config, _context, BusOf(e), buffer)).ToArray();
        var running = Task.WhenAll(pollers.Select(p => Task.Run(() => RunAsync(p, buffer, stop.Token), CancellationToken.None)));
        try
        {
            while (true)
            {
                var readings = await buffer.TakeAsync(ct).ConfigureAwait(false);
                if (readings.Count >= BufferedReadings)
                    foreach (var poller in pollers) poller.Wake();
                yield return new SourceBatch { Readings = readings, OnDurable = _ => Return(buffer, readings) };
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Reading>> ReadNowAsync(IReadOnlyList<Tag> tags, CancellationToken ct) => _reader.ReadAsync(tags, ct);

    /// <inheritdoc/>
    public ValueTask<CommandResult> ExecuteAsync(Command command, ISendGate gate, CancellationToken ct)
    {
        if (command.Tag is null) throw new InvalidOperationException("Modbus has no methods; a command names a tag.");
        if (!_tags.TryGetValue((command.Device, command.Tag), out var tag)) throw new InvalidOperationException($"'{command.Device}/{command.Tag}' is not configured, or switched off.");
        return _writer.ExecuteAsync(command, tag, gate, ct);
    }

    /// <summary>Gives the buses back; Modbus has no session to keep or to delete.</summary>
    public async ValueTask CloseAsync(CloseReason why, CancellationToken ct)
    {
        foreach (var lease in _leases.Values) await lease.DisposeAsync().ConfigureAwait(false);
        _leases.Clear();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => CloseAsync(CloseReason.Fault, CancellationToken.None);

    Bus BusOf(EndpointModel endpoint) => _leases.TryGetValue(endpoint, out var lease) ? lease.Value : throw new InvalidOperationException("The connector is not open.");

    static ValueTask Return(ReadingBuffer buffer, List<Reading> readings)
    {
        buffer.Return(readings);
        return default;
    }

    // The edge of a poller's task: whatever ends it ends the source.
    static async Task RunAsync(EndpointPoller poller, ReadingBuffer buffer, CancellationToken ct)
    {
        try
        {
            await poller.RunAsync(ct).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (!ct.IsCancellationRequested) buffer.Fail(e);
        }
    }
}
