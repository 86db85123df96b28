namespace IotGateway.Broker.Server;

/// <summary>
/// Bytes that answers on their way to slow readers hold together, from the moment they are read or made: what is not handed to the sockets yet, and what those have not sent. It refuses
/// nobody: the more is held, the less the next fetch gets, down to its first batch. Thread-safe.
/// </summary>
internal sealed class FetchMemory(long total, TransportMemory transport)
{
    const int Share = 8;
    readonly long _total = total;
    long _held;

    /// <summary>Bytes held at present.</summary>
    public long Held => Interlocked.Read(ref _held) + transport.LentBytes;

    /// <summary>Whether slow readers have used all of it up.</summary>
    public bool Full => Held >= _total;

    /// <summary>Most bytes to read for an answer that may have so many.</summary>
    public int Limit(int wanted) => (int)Math.Clamp((_total - Held) / Share, 0, wanted);

    public void Hold(long bytes) => Interlocked.Add(ref _held, bytes);

    public void Release(long bytes) => Interlocked.Add(ref _held, -bytes);
}
