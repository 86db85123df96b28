using System.Buffers.Binary;
using IotGateway.Log.Tables;

namespace IotGateway.Log;

/// <summary>
/// The time by which the log counts ages: Unix milliseconds that pass as time passes, whatever happens to the machine's clock, so that a clock that is set
/// deletes nothing, forgets no producer and ends no transaction (docs/decisions/0007). While the log is open it is the monotonic clock's; over a stop nothing but
/// the machine's clock tells how long it was: of that at most a day counts, for nothing could be delivered meanwhile, and never less than nothing. So it may go
/// beside the machine's clock for good. Every frame and every checkpoint has it. Thread-safe.
/// </summary>
public sealed class LogClock
{
    const string Table = "log.clock"; // of checkpoints alone; value = milliseconds i64, little endian
    static readonly byte[] Key = "now"u8.ToArray();
    static readonly TimeSpan MostStopped = TimeSpan.FromDays(1);

    readonly TimeProvider _time;
    readonly long _began, _ticks;

    /// <summary>Goes on from where the last one was.</summary>
    /// <param name="time">The machine's clocks.</param>
    /// <param name="last">Its last known reading, ms; null: there was none.</param>
    public LogClock(TimeProvider time, long? last)
    {
        (_time, _began, _ticks) = (time, Machine(time), time.GetTimestamp());
        if (last is { } before) _began = Math.Clamp(_began, before, before + (long)MostStopped.TotalMilliseconds);
    }

    /// <summary>Never goes back.</summary>
    public long Now => _began + (long)Elapsed.TotalMilliseconds;

    /// <summary>Time since the log was opened.</summary>
    public TimeSpan Elapsed => _time.GetElapsedTime(_ticks);

    /// <summary>The machine's time of a moment on this clock, ms, for people to read.</summary>
    public long ToMachine(long moment) => Machine(_time) - (Now - moment);

    /// <summary>What the last checkpoint has, ms; null: nothing. Newer are the times of appends and frames.</summary>
    internal static long? Kept(TableSet tables) => tables.Get(Table, Key) is { Length: sizeof(long) } value ? BinaryPrimitives.ReadInt64LittleEndian(value) : null;

    /// <summary>Puts it into the tables for the checkpoint that is being made.</summary>
    internal void Keep(TableSet tables)
    {
        var value = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, Now);
        tables.Put(Table, Key, value);
    }

    internal static long Machine(TimeProvider time) => time.GetUtcNow().ToUnixTimeMilliseconds();
}
