using IotGateway.Broker.Groups;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker;

/// <summary>
/// The time that what is kept is dated by: Unix milliseconds that pass as time passes, whatever happens to the machine's clock, so that a clock that is set
/// neither ends a transaction nor forgets a group's offsets. While the gateway runs it is the monotonic clock's; over a stop nothing but the machine's clock
/// tells how long it was: of that at most a day counts, and never less than nothing (as ages in the log, docs/decisions/0007). So it may go
/// beside the machine's clock for good. Thread-safe; a failure to keep it is tried again an hour later.
/// </summary>
internal sealed partial class SteadyClock : IAsyncDisposable
{
    const string Table = "broker.clock";
    static readonly byte[] Key = "now"u8.ToArray();
    static readonly TimeSpan MostStopped = TimeSpan.FromDays(1), FirstKept = TimeSpan.FromMinutes(1), KeepEvery = TimeSpan.FromHours(1);

    readonly IGroupStore _store;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly ITimer _timer;
    readonly long _began, _ticks;
    int _keeping;

    /// <summary>Goes on from where the last one was.</summary>
    /// <param name="store">Keeps it: value = milliseconds i64, little endian.</param>
    /// <param name="time">The machine's clocks.</param>
    /// <param name="logger">Hears of failures.</param>
    public SteadyClock(IGroupStore store, TimeProvider time, ILogger logger)
    {
        (_store, _time, _logger) = (store, time, logger);
        (_began, _ticks) = (Machine, time.GetTimestamp());
        if (store.Scan(Table) is [var kept] && kept.Value.Length == sizeof(long))
        {
            var last = BitConverter.ToInt64(kept.Value.Span);
            _began = Math.Clamp(_began, last, last + (long)MostStopped.TotalMilliseconds);
        }
        _timer = time.CreateTimer(static clock => ((SteadyClock)clock!).Keep(), this, FirstKept, KeepEvery);
    }

    /// <summary>Never goes back.</summary>
    public long Now => _began + (long)_time.GetElapsedTime(_ticks).TotalMilliseconds;

    /// <summary>The machine's time of a moment on this clock, for people to read.</summary>
    public long ToMachine(long moment) => Machine - (Now - moment);

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    long Machine => _time.GetUtcNow().ToUnixTimeMilliseconds();

    void Keep()
    {
        if (Interlocked.Exchange(ref _keeping, 1) == 0) _ = KeepAsync();
    }

    async Task KeepAsync()
    {
        try
        {
            await _store.CommitAsync([new(Table, Key, BitConverter.GetBytes(Now))], CancellationToken.None).ConfigureAwait(false);
        }
        // A full log, say: only a stop of more than a day would tell the difference.
        catch (Exception e)
        {
            Log.NotKept(_logger, e.Message);
        }
        finally
        {
            Volatile.Write(ref _keeping, 0);
        }
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The time that groups' offsets and transactions are dated by could not be kept; it is tried again in an hour. {Reason}")]
        public static partial void NotKept(ILogger logger, string reason);
    }
}
