using System.Threading.Channels;
using IotGateway.Connectors.Modbus.Client;
using IotGateway.Connectors.Modbus.Config;
using IotGateway.Connectors.Modbus.Model;
using IotGateway.Connectors.Modbus.Planning;
using IotGateway.Connectors.Modbus.Protocol;
using IotGateway.Sdk;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connectors.Modbus.Polling;

/// <summary>
/// Polls everything behind one endpoint: an absolute schedule without drift, what can not be kept up is skipped and counted; a dead
/// endpoint is tried again with capped pauses, a dead unit is only probed, a refused address is set apart, and none of these delays another.
/// </summary>
/// <remarks>
/// One loop owns all state. Requests run beside it, at most as many as the bus takes, and end as a message in its channel; the
/// timer is a message too (null). Nothing escapes: an unexpected exception ends the source through the <see cref="ReadingBuffer"/>.
/// </remarks>
internal sealed partial class EndpointPoller
{
    static readonly TimeSpan FirstProbe = TimeSpan.FromSeconds(1), LonelyProbe = TimeSpan.FromSeconds(2), FirstQuarantine = TimeSpan.FromSeconds(10);

    readonly ModbusConfig _config;
    readonly ConnectorContext _context;
    readonly TimeProvider _time;
    readonly Bus _bus;
    readonly ReadingBuffer _buffer;
    readonly Publisher _publisher;
    readonly UnitHealth _health;
    readonly UnitState[] _units;
    readonly Channel<PollBlock?> _messages = Channel.CreateUnbounded<PollBlock?>(new() { SingleReader = true });
    readonly PriorityQueue<PollBlock, long> _queue = new();
    readonly long _start;
    int _underWay;
    bool _behind;

    /// <summary>Makes one; nothing is sent before <see cref="RunAsync"/>.</summary>
    public EndpointPoller(EndpointModel endpoint, ModbusConfig config, ConnectorContext context, Bus bus, ReadingBuffer buffer)
    {
        (_config, _context, _time, _bus, _buffer) = (config, context, context.Time, bus, buffer);
        _publisher = new(buffer, config.Refresh);
        _health = new(context);
        _start = _time.GetTimestamp();
        _units = [.. endpoint.Devices.Where(d => !d.Broadcasts).GroupBy(d => d.Unit).Select(g => new UnitState(g.Key, [.. g]))];
        foreach (var unit in _units) AddGroups(unit);
    }

    /// <summary>Scheduled polls left out because the device or the log could not keep up.</summary>
    public long Skipped { get; private set; }

    /// <summary>Requests the present plan sends per round.</summary>
    public int Requests => _units.Sum(u => u.Groups.Sum(g => g.Blocks.Count));

    /// <summary>The loop should look again: there is room in the buffer.</summary>
    public void Wake() => _messages.Writer.TryWrite(null);

    /// <summary>Polls until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        if (_units.Length == 0) return;
        using var timer = _time.CreateTimer(static state => ((EndpointPoller)state!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Restart();
        try
        {
            while (true)
            {
                if (_underWay == 0 && !_bus.IsConnected) await ReconnectAsync(ct).ConfigureAwait(false);
                Launch(ct);
                _publisher.Flush();
                if (_underWay < _bus.MaxInFlight && !_buffer.IsFull && _queue.TryPeek(out _, out var due))
                    timer.Change(TimeSpan.FromTicks(Math.Max(0, due - Now)), Timeout.InfiniteTimeSpan);
                await _messages.Reader.WaitToReadAsync(ct).ConfigureAwait(false);
                while (_messages.Reader.TryRead(out var block))
                    if (block is not null) Settle(block, await Ended(block).ConfigureAwait(false));
            }
        }
        finally
        {
            // Cancelled requests end at once; their buffers and slots are not left behind.
            while (_underWay > 0)
                if (await _messages.Reader.ReadAsync(CancellationToken.None).ConfigureAwait(false) is { } block)
                    await ((Task)Ended(block)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    Task<ExchangeResult> Ended(PollBlock block)
    {
        _underWay--;
        return block.Running!;
    }

    long Now => _time.GetElapsedTime(_start).Ticks;

    DateTime Utc => _time.GetUtcNow().UtcDateTime;

    void AddGroups(UnitState unit)
    {
        var tracks = unit.Devices.SelectMany(d => d.Points).Select(p => new TagTrack(p)).ToArray();
        unit.Tracks.AddRange(tracks);
        foreach (var group in tracks.GroupBy(t => (t.Point.Area, t.Point.Every)))
        {
            var rules = group.Key.Area.IsBits()
                ? new PlanRules(_config.RequestCost * 16, 1, _config.MaxBits, _config.MaxGap * 16)
                : new PlanRules(_config.RequestCost, 1, _config.MaxRegisters, _config.MaxGap);
            var made = new PollGroup(unit, group.Key.Area, group.Key.Every, rules, group);
            made.Plan(0);
            unit.Groups.Add(made);
        }
    }

    async ValueTask ReconnectAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await _bus.ConnectAsync(patient: true, ct).ConfigureAwait(false);
                break;
            }
            catch (BusException e)
            {
                foreach (var unit in _units)
                {
                    _publisher.Bad(unit.Tracks, new(ExchangeStatus.Lost), Utc);
                    _health.Down(unit, "modbus:unreachable", e.Message, _time.GetUtcNow() + _bus.UntilNextAttempt);
                }
                _publisher.Flush();
                await Task.Delay(_bus.UntilNextAttempt + TimeSpan.FromMilliseconds(1), _time, ct).ConfigureAwait(false);
            }
        }
        Restart();
    }

    // All at once and every unit with a clean slate: what was away with the endpoint is not the unit's fault. Nothing is under way.
    void Restart()
    {
        _queue.Clear();
        foreach (var unit in _units)
        {
            (unit.Probe, unit.Misses) = (null, 0);
            unit.Parked.Clear();
            foreach (var block in unit.Groups.SelectMany(g => g.Blocks)) EnqueueNow(block);
        }
    }

    void Launch(CancellationToken ct)
    {
        while (_underWay < _bus.MaxInFlight && _queue.TryPeek(out var block, out var due) && due <= Now && !_buffer.IsFull)
        {
            _queue.Dequeue();
            if (block.IsRetired) continue;
            var unit = block.Group.Unit;
            if (unit.IsOpen && unit.Probe != block)
            {
                unit.Parked.Add(block);
                continue;
            }
            _underWay++;
            block.Running = ExchangeAsync(block, ct);
        }
    }

    // Posts the block when its exchange has ended, however it did; the loop then sees how.
    async Task<ExchangeResult> ExchangeAsync(PollBlock block, CancellationToken ct)
    {
        try
        {
            var slot = await _bus.TakeAsync(Priority.Poll, ct).ConfigureAwait(false);
            try
            {
                var result = await SendAsync(slot, block.Request, ct).ConfigureAwait(false);
                // A device may have dropped an idle connection; reading changes nothing, so once more on a fresh one.
                if (result.Status == ExchangeStatus.Lost) result = await SendAsync(slot, block.Request, ct).ConfigureAwait(false);
                block.Keep(slot.Data);
                return result;
            }
            finally
            {
                _bus.Return(slot);
            }
        }
        catch (BusException)
        {
            return new(ExchangeStatus.Lost);
        }
        finally
        {
            _messages.Writer.TryWrite(block);
        }
    }

    async ValueTask<ExchangeResult> SendAsync(Exchange slot, Request request, CancellationToken ct)
    {
        var connection = await _bus.ConnectAsync(patient: true, ct).ConfigureAwait(false);
        return await slot.RunAsync(connection, request, _config.Timeout, ct).ConfigureAwait(false);
    }

    void Settle(PollBlock block, ExchangeResult result)
    {
        var unit = block.Group.Unit;
        switch (result)
        {
            case { Status: ExchangeStatus.Ok }:
                Answered(unit);
                _publisher.Good(block.Tracks, block.Data, block.First, Now, Utc);
                if (block.Tracks.Any(t => t.IsQuarantined)) Release(block);
                else Continue(block);
                break;
            case { Exception: ExceptionCode.GatewayPathUnavailable or ExceptionCode.GatewayTargetFailedToRespond }:
            case { Status: ExchangeStatus.Timeout or ExchangeStatus.Mismatch }:
                Missed(block, result);
                break;
            case { Status: ExchangeStatus.Exception }:
                Answered(unit);
                if (!block.IsRetired) Refused(block, result);
                break;
            default:
                // The connection is gone; whether the endpoint is too, the next attempt to connect says.
                _publisher.Bad(block.Tracks, result, Utc);
                if (++unit.Misses >= _config.DownAfter) _health.Down(unit, result.Code, $"Unit {unit.Id}: {result.Words}.", null);
                Continue(block);
                break;
        }
    }

    void Answered(UnitState unit)
    {
        unit.Misses = 0;
        _health.Up(unit);
        if (!unit.IsOpen) return;
        unit.Probe = null;
        foreach (var block in unit.Parked) EnqueueNow(block);
        unit.Parked.Clear();
    }

    void Missed(PollBlock block, ExchangeResult result)
    {
        var unit = block.Group.Unit;
        _publisher.Bad(block.Tracks, result, Utc);
        unit.Misses++;
        if (unit.IsOpen && unit.Probe != block) unit.Parked.Add(block);
        else if (!unit.IsOpen && (unit.Misses < _config.DownAfter || block.IsRetired)) Continue(block);
        else
        {
            var longest = _units.Any(u => u != unit && u.Reported == true) ? _config.Probe : LonelyProbe;
            unit.Pause = unit.IsOpen ? Shorter(unit.Pause * 2, longest) : Shorter(FirstProbe, longest);
            unit.Probe = block;
            block.IsOffGrid = true;
            _queue.Enqueue(block, Now + unit.Pause.Ticks);
            _publisher.Bad(unit.Tracks.Where(t => !t.IsQuarantined), result, Utc);
            _health.Down(unit, result.Code, $"Unit {unit.Id}: {result.Words}.", _time.GetUtcNow() + unit.Pause);
        }
    }

    void Refused(PollBlock block, ExchangeResult result)
    {
        var divisible = result.Exception is ExceptionCode.IllegalDataAddress or ExceptionCode.IllegalDataValue;
        if (divisible && block.Group.Cut(block) is { Count: > 0 } halves)
        {
            foreach (var half in halves) EnqueueNow(half);
            return;
        }
        _publisher.Bad(block.Tracks, result, Utc);
        if (!divisible && result.Exception != ExceptionCode.IllegalFunction)
        {
            Continue(block);
            return;
        }
        var pause = Shorter(block.Tracks[0].IsQuarantined ? block.Tracks[0].Quarantine * 2 : FirstQuarantine, _config.Quarantine);
        foreach (var track in block.Tracks)
        {
            if (!track.IsQuarantined) _health.Quarantined(track, result, _time.GetUtcNow() + pause);
            track.Quarantine = pause;
        }
        block.IsOffGrid = true;
        _queue.Enqueue(block, Now + pause.Ticks);
    }

    // A refused tag works again: pack its group anew and give the group's other refused tags a chance as well.
    void Release(PollBlock block)
    {
        foreach (var track in block.Tracks)
        {
            track.Quarantine = TimeSpan.Zero;
            _health.Released(track);
        }
        block.Group.Plan(block.Grid);
        foreach (var fresh in block.Group.Blocks) EnqueueNow(fresh);
    }

    void Continue(PollBlock block)
    {
        if (block.IsRetired) return;
        var (now, period) = (Now, block.Group.Period.Ticks);
        var next = block.Grid + period;
        if (block.IsOffGrid) next += Math.Max(0, (now - next) / period + (now >= next ? 1 : 0)) * period;
        else if (now - next >= period)
        {
            var skipped = (now - next) / period;
            Skipped += skipped;
            next += skipped * period;
            if (!_behind) Log.FallingBehind(_context.Logger, string.Join(", ", block.Group.Unit.Devices.Select(d => d.Name)), block.Group.Period, _bus.Name);
            _behind = true;
        }
        (block.Grid, block.IsOffGrid) = (next, false);
        _queue.Enqueue(block, next);
    }

    void EnqueueNow(PollBlock block)
    {
        block.IsOffGrid = true;
        _queue.Enqueue(block, Now);
    }

    static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Polling of {Devices} every {Period} at {Endpoint} can not be kept up; polls are skipped. Poll less often, or allow more requests in flight (maxInFlight).")]
        public static partial void FallingBehind(ILogger logger, string devices, TimeSpan period, string endpoint);
    }
}
