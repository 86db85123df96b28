using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Sparkplug.Commands;
using IotGateway.Connectors.Sparkplug.Config;
using IotGateway.Connectors.Sparkplug.Plant;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connectors.Sparkplug;

/// <summary>
/// One connection to a broker as a Sparkplug host application: clean start, STATE with its will, online only while the log takes data.
/// </summary>
/// <remarks>
/// Three threads meet here: the receive loop (<see cref="IMqttHandler"/>) fills the <see cref="Intake"/>; <see cref="ReadAsync"/> feeds the
/// <see cref="PlantModel"/>; the keep-alive loop's tick wakes the reading and tells the world how we are. Commands and browsing look at the model.
/// </remarks>
sealed partial class SparkplugHost : ISource, IBrowsable, ICommandTarget, IReconfigurable<SparkplugConfig>, IMqttHandler
{
    const int FiltersPerPacket = 60;
    const int MostReadings = 20_000; // of one batch, and one message more
    const string TimestampKey = "timestamp"; // of the last STATE, so that a clock set back does not make edge nodes ignore the next
    static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(1);
    static readonly TimeSpan BrowseTime = TimeSpan.FromSeconds(5);
    static readonly TimeSpan RestoreGrace = TimeSpan.FromSeconds(5); // for edge nodes that wait for their primary host and are born by themselves

    readonly SparkplugConfig _config;
    readonly ConnectorContext _context;
    readonly SparkplugMetrics _metrics;
    readonly Func<SparkplugFigures> _figures;
    readonly BrokerSession _broker;
    readonly Intake _intake;
    readonly PlantModel _plant;
    readonly CommandSender _commands;
    readonly CancellationTokenSource _life = new();
    MqttClient? _client;
    HostState? _state;
    Task _living = Task.CompletedTask;
    OpenMode _mode;
    volatile bool _reading;
    bool _behind; // touched by the tick and the start of reading, which take turns
    bool _skipped, _twin; // touched by the receive loop only

    public SparkplugHost(SparkplugConfig config, ConnectorContext context, InstanceMemory memory, SparkplugMetrics metrics)
    {
        (_config, _context, _metrics) = (config, context, metrics);
        _broker = new(config, context, memory);
        _intake = new(config.MaxInFlight.Bytes, context.Time);
        _plant = new(new(context, new(context), new(config.Node, config.Device), config.ReorderTimeout, config.RebirthPause, config.RebirthMaxPause, metrics), config.MaxEdges);
        _commands = new(_plant, config.CommandTimeout, context.Time);
        _figures = () =>
        {
            var (online, offline) = _plant.Count();
            return new(_client is not null && !_living.IsCompleted, _state?.IsOnline == true, online, offline);
        };
    }

    public async ValueTask OpenAsync(OpenMode mode, CancellationToken ct)
    {
        _mode = mode;
        var timestamp = _context.Time.GetUtcNow().ToUnixTimeMilliseconds();
        if (mode == OpenMode.Run)
        {
            if (_context.State.TryGetValue(TimestampKey, out var stored) && long.TryParse(stored.Span, NumberStyles.None, CultureInfo.InvariantCulture, out var last)) timestamp = Math.Max(timestamp, last + 1);
            if (_context.LogAccepting) await _context.SaveAsync([new(TimestampKey, Encoding.UTF8.GetBytes(timestamp.ToString(CultureInfo.InvariantCulture)))], ct).ConfigureAwait(false);
        }
        var state = _state = new HostState(_config.HostId ?? _context.Gateway, timestamp, before3: _config.StateFormat == "2.2");
        _broker.Will = state.Will;
        var client = _client = await _broker.ConnectAsync(mode, clean: false, ct).ConfigureAwait(false);
        if (client.Server.Refusal(new() { Topic = state.Topic, Qos = 1, Retain = true }) is { } refusal)
            throw new PermanentException($"{client.Address} cannot serve a Sparkplug host, which publishes retained messages of QoS 1: {refusal}");
        _living = LiveAsync(client);
        await SubscribeAsync(client, state, ct).ConfigureAwait(false);
        if (mode != OpenMode.Run) return;
        _plant.Restore(RestoreGrace);
        _metrics.Show(_context.Name, _figures);
    }

    async Task SubscribeAsync(MqttClient client, HostState state, CancellationToken ct)
    {
        // Our own STATE first (§5.7).
        IReadOnlyList<SubscribeFilter> filters = [new(state.Topic, 0), .. EdgeFilters.Of(_config.Groups)];
        foreach (var chunk in filters.Chunk(FiltersPerPacket))
        {
            var reasons = await client.SubscribeAsync(chunk, null, ct).ConfigureAwait(false);
            for (var i = 0; i < chunk.Length; i++)
                if ((byte)reasons[i] >= 0x80)
                {
                    var message = $"{client.Address} refused to subscribe to '{Encoding.UTF8.GetString(chunk[i].Filter.Span)}': {reasons[i].Text()}. Change 'groups' or the broker's permissions.";
                    throw reasons[i] == ReasonCode.NotAuthorized ? new PermanentException(message) : new IOException(message);
                }
        }
    }

    async Task LiveAsync(MqttClient client)
    {
        try
        {
            await client.RunAsync(this, _life.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _intake.Complete(_broker.Explain(e, client)); // the runner's edge: whatever ended the connection ends the source
        }
    }

    public async IAsyncEnumerable<SourceBatch> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var client = _client!;
        await PresentAsync(client, ct).ConfigureAwait(false);
        _reading = true;
        try
        {
            while (true)
            {
                var items = await _intake.TakeAsync(ct).ConfigureAwait(false);
                if (items.Count == 0) yield break;
                for (var next = 0; next < items.Count;)
                {
                    var output = Take(items, ref next, out var bytes);
                    _commands.Observe(output);
                    await AskAsync(client, output, ct).ConfigureAwait(false);
                    if (output.Build() is not { } batch)
                    {
                        _intake.End(bytes, begun: false);
                        continue;
                    }
                    _intake.Begin();
                    yield return batch with
                    {
                        State = _mode == OpenMode.Probe ? [] : batch.State,
                        OnDurable = _ =>
                        {
                            _intake.End(bytes, begun: true);
                            return default;
                        },
                    };
                }
            }
        }
        finally
        {
            _reading = false;
        }
    }

    // As many messages as make a batch: one birth may hold a hundred thousand metrics.
    PlantOutput Take(IReadOnlyList<Inbound> items, ref int next, out long bytes)
    {
        var output = new PlantOutput(_context.Name);
        bytes = 0;
        foreach (var (edge, messages) in _intake.TakeDropped()) _plant.Overflow(edge, messages, output);
        while (next < items.Count && output.Readings.Count < MostReadings)
        {
            var (message, received) = items[next++];
            if (message is null) _plant.Tick(output);
            else
            {
                bytes += message.Size;
                _plant.Apply(message.Topic, message.Payload, received, output);
            }
        }
        return output;
    }

    async Task AskAsync(MqttClient client, PlantOutput output, CancellationToken ct)
    {
        if (_mode == OpenMode.Probe) return; // a look is not to move the plant
        foreach (var edge in output.Rebirths)
        {
            await _commands.RebirthAsync(client, edge, ct).ConfigureAwait(false);
            _metrics.Rebirth(_context.Name);
        }
    }

    public async IAsyncEnumerable<BrowseNode> BrowseAsync(string? parent, [EnumeratorCancellation] CancellationToken ct)
    {
        // A probe has not seen anything yet.
        if (_mode == OpenMode.Probe && !_reading) await ListenAsync(ct).ConfigureAwait(false);
        foreach (var node in _plant.Look(edges => PlantBrowser.Children(edges, parent))) yield return node;
    }

    async Task ListenAsync(CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(BrowseTime, _context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            while (await _intake.TakeAsync(both.Token).ConfigureAwait(false) is { Count: > 0 } items)
            {
                for (var next = 0; next < items.Count;)
                {
                    Take(items, ref next, out var bytes);
                    _intake.End(bytes, begun: false);
                }
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return; // the time to listen is over
        }
    }

    /// <summary>Takes changed write rules, which are the runtime's; a new connection would make every edge node be born anew.</summary>
    public ValueTask<ApplyResult> TryApplyAsync(SparkplugConfig next, CancellationToken ct)
        => ValueTask.FromResult<ApplyResult>(_config.DiffersOnlyInDevices(next) ? new ApplyResult.Applied() : new ApplyResult.NeedsRestart("More than the devices that take commands changed: that needs a new connection."));

    public ValueTask<CommandResult> ExecuteAsync(Command command, ISendGate gate, CancellationToken ct)
        => _commands.ExecuteAsync(_client ?? throw new InvalidOperationException("The connector is not open."), _living, command, gate, ct);

    async ValueTask PresentAsync(MqttClient client, CancellationToken ct)
    {
        if (_mode == OpenMode.Probe) return;
        _behind = _intake.IsBehind(_config.OfflineAfter, _behind);
        var (online, before) = (_context.LogAccepting && !_behind, _state!.IsOnline);
        if (!await _state.TellAsync(client, online, last: false, ct).ConfigureAwait(false) || online == before && online) return;
        if (online) _context.Report(new(_context.Name, "STATE", PartState.Ok, null, null, null));
        else
        {
            _context.Report(new(_context.Name, "STATE", PartState.Degraded, "sparkplug:offline", "The log does not take data, so edge nodes were told to store theirs.", null));
            Log.Offline(_context.Logger, _context.Name);
        }
    }

    ValueTask IMqttHandler.OnPublishAsync(PublishPacket packet, CancellationToken ct)
    {
        if (packet.Topic.Span.SequenceEqual(_state!.Topic.Span))
        {
            // What is retained is from before this connection, and will have been replaced.
            if (!packet.Retain && _state.Heard(packet.Payload.Span) && !_twin)
            {
                _twin = true;
                Log.Twin(_context.Logger, _context.Name, Encoding.UTF8.GetString(_state.Topic.Span));
            }
            return default;
        }
        // One that is kept must not keep a chunk full of dropped ones alive.
        _skipped = !_intake.TryPut(_skipped ? packet.Detach() : packet);
        if (_skipped) _metrics.Dropped(_context.Name);
        return default;
    }

    ValueTask IMqttHandler.OnReleaseAsync(ushort packetId, CancellationToken ct) => default;

    void IMqttHandler.OnPong(long ping) { }

    ValueTask IMqttHandler.OnTickAsync()
    {
        _intake.Wake();
        return _reading ? PresentAsync(_client!, _life.Token) : default;
    }

    public async ValueTask CloseAsync(CloseReason why, CancellationToken ct)
    {
        if (why == CloseReason.Remove) _metrics.Forget(_context.Name);
        if (_client is not { } client) return;
        _reading = false;
        try
        {
            // A goodbye in order takes the will with it, so that we say it ourselves (§5.7).
            if (_mode == OpenMode.Run && !_living.IsCompleted && _state is { } state)
            {
                await state.TellAsync(client, false, last: true, ct).ConfigureAwait(false);
                // A connection closed with an answer unread is reset, and the broker may lose our goodbye with it.
                await state.Taken.WaitAsync(Goodbye, _context.Time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            return; // the connection is gone: the broker publishes the will
        }
        await client.DisconnectAsync(ReasonCode.Success, null, ct).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _metrics.Hide(_context.Name, _figures);
        await _life.CancelAsync().ConfigureAwait(false);
        if (_client is not null) await _client.DisposeAsync().ConfigureAwait(false);
        await _living.ConfigureAwait(false);
        _intake.Complete();
        _state?.Dispose();
    }

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Connector}: the log does not take data, so STATE says offline; edge nodes with this primary host store theirs until it is online again.")]
        public static partial void Offline(ILogger logger, string connector);

        [LoggerMessage(2, LogLevel.Warning, "{Connector}: another host application says on '{Topic}' that it is online. Give one of them another hostId: edge nodes cannot tell them apart.")]
        public static partial void Twin(ILogger logger, string connector, string topic);
    }
}
