namespace IotGateway.Connect.Tasks;

/// <summary>What a task has done since the process started. Written by the task's pumps, read by anyone.</summary>
sealed class TaskFigures
{
    long _recordsIn, _bytesIn, _recordsOut, _bytesOut, _dead, _lag, _last;

    public long RecordsIn => Volatile.Read(ref _recordsIn);
    public long BytesIn => Volatile.Read(ref _bytesIn);
    public long RecordsOut => Volatile.Read(ref _recordsOut);
    public long BytesOut => Volatile.Read(ref _bytesOut);
    public long DeadLetters => Volatile.Read(ref _dead);

    public long Lag
    {
        get => Volatile.Read(ref _lag);
        set => Volatile.Write(ref _lag, value);
    }

    public DateTimeOffset? LastData => Volatile.Read(ref _last) is var ticks and not 0 ? new(ticks, TimeSpan.Zero) : null;

    public void In(long records, long bytes, DateTimeOffset now)
    {
        Interlocked.Add(ref _recordsIn, records);
        Interlocked.Add(ref _bytesIn, bytes);
        Volatile.Write(ref _last, now.UtcTicks);
    }

    public void Out(long records, long bytes, DateTimeOffset now)
    {
        Interlocked.Add(ref _recordsOut, records);
        Interlocked.Add(ref _bytesOut, bytes);
        Volatile.Write(ref _last, now.UtcTicks);
    }

    public void Dead(long records) => Interlocked.Add(ref _dead, records);
}
