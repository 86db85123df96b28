using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Tasks;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Health;

/// <summary>
/// Writes changes of health to <c>gateway.health</c>. Posting never waits: changes of the same part that come faster than the log
/// takes them are merged, so memory is bounded by the number of parts. A write that fails is tried again with the next change.
/// </summary>
sealed partial class HealthWriter(IEventLog log, TimeProvider time, ILogger logger)
{
    readonly Lock _lock = new();
    readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    Dictionary<string, HealthRecord> _pending = new(StringComparer.Ordinal);

    /// <summary>State of a connector's task.</summary>
    public void Post(string connector, int task, RunState state, string? reason, DateTimeOffset since, DateTimeOffset? nextTry)
        => Put(task == 0 ? connector : $"{connector}#{task}", new()
        {
            Connector = connector, Task = task, State = Word(state), Reason = reason, Since = HealthJson.Time(since),
            NextTry = nextTry is { } next ? HealthJson.Time(next) : null,
        });

    /// <summary>State of a device or tag.</summary>
    public void Post(string connector, PartSnapshot part)
        => Put(part.Tag is null ? $"{connector}/{part.Device}" : $"{connector}/{part.Device}/{part.Tag}", new()
        {
            Connector = connector, Device = part.Device, Tag = part.Tag, State = Word(part.State), Code = part.Code, Reason = part.Reason,
            Since = HealthJson.Time(part.Since), NextTry = part.NextTry is { } next ? HealthJson.Time(next) : null,
        });

    /// <summary>Writes until <paramref name="stop"/>, and then what is left.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (await _signal.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            _signal.Reader.TryRead(out _);
            await FlushAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>No more changes will come.</summary>
    public void Complete() => _signal.Writer.TryComplete();

    async Task FlushAsync(CancellationToken stop)
    {
        Dictionary<string, HealthRecord> taken;
        lock (_lock) (taken, _pending) = (_pending, new(StringComparer.Ordinal));
        if (taken.Count == 0) return;
        var unit = new EventUnit { Reserved = true };
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var (key, record) in taken)
        {
            unit.Begin(InternalTopics.Health, now);
            unit.Key(Encoding.UTF8.GetBytes(key));
            unit.Header("connector", record.Connector);
            unit.Value(JsonSerializer.SerializeToUtf8Bytes(record, HealthJson.Default.HealthRecord));
            unit.End();
        }
        try
        {
            await log.CommitAsync(unit, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            Log.NotWritten(logger, e, taken.Count);
            lock (_lock)
                foreach (var (key, record) in taken) _pending.TryAdd(key, record);
        }
    }

    void Put(string key, HealthRecord record)
    {
        lock (_lock) _pending[key] = record;
        _signal.Writer.TryWrite(true);
    }

    static string Word<T>(T state) where T : struct, Enum => state.ToString().ToLowerInvariant();

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Count} changes of health could not be written to gateway.health; they are tried again with the next change.")]
        public static partial void NotWritten(ILogger logger, Exception error, int count);
    }
}
