using System.Threading.Channels;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// Writes a gap for everything that was deleted from the log to make space, or that the disk has lost of it, also by an earlier run of the process: the gap and the end of the log's
/// own note are one unit, so that each record that went is told exactly once. At most once a second, so that a lane that is cut all the time does not
/// fill the gaps. Stops with the worker; what is not told then is told by the next.
/// </summary>
sealed partial class DropTeller : IAsyncDisposable
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1), SayEvery = TimeSpan.FromMinutes(10);

    readonly IEventLog _log;
    readonly GapBook _gaps;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly CancellationTokenSource _stop = new();
    readonly Task _running;
    long? _said;

    public DropTeller(IEventLog log, GapBook gaps, TimeProvider time, ILogger logger)
    {
        (_log, _gaps, _time, _logger) = (log, gaps, time, logger);
        log.RecordsDropped += Signal;
        Signal(); // of an earlier run
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _log.RecordsDropped -= Signal;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    void Signal() => _signal.Writer.TryWrite(true);

    async Task RunAsync()
    {
        for (;;)
        {
            await _signal.Reader.ReadAsync(_stop.Token).ConfigureAwait(false);
            try
            {
                await TellAsync().ConfigureAwait(false);
            }
            catch (IOException e)
            {
                // It stays noted in the log: the next signal or start tries again.
                Log.Untold(_logger, e.Message);
            }
            await Task.Delay(Pause, _time, _stop.Token).ConfigureAwait(false);
        }
    }

    async Task TellAsync()
    {
        var dropped = _log.Dropped();
        if (dropped.Count == 0) return;
        var unit = new EventUnit { Reserved = true };
        foreach (var range in dropped) _gaps.LostInLog(unit, range);
        await _log.CommitAsync(unit, CancellationToken.None).ConfigureAwait(false);
        var deleted = dropped.Where(d => d.Reason != LostRange.Damaged).ToList();
        if (deleted.Count == 0) return; // the log has told of the damage
        if (_said is null || _time.GetElapsedTime(_said.Value) >= SayEvery) Log.Dropped(_logger, deleted.Sum(d => d.ToOffset - d.FromOffset), deleted.Count, deleted[0].Reason);
        _said = _time.GetTimestamp();
    }

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Records} records of {Partitions} partition(s) were deleted to make space ({Reason}); gateway.gaps says which. Give the log more size or disk, or its topics a shorter retention. Said once while it goes on.")]
        public static partial void Dropped(ILogger logger, long records, int partitions, string reason);

        [LoggerMessage(2, LogLevel.Error, "What was deleted to make space could not be written to gateway.gaps yet: {Reason}")]
        public static partial void Untold(ILogger logger, string reason);
    }
}
