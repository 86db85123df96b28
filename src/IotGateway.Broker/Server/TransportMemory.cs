using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace IotGateway.Broker.Server;

/// <summary>
/// Memory the connections' sockets read into and write from, in blocks of 64 KiB: a produce request or a fetched batch takes a few system
/// calls and not one for every 4 KiB, as Kestrel's own blocks have it. Idle connections hold none; of those that keep us waiting in the
/// midst of a request there may be thousands, so that once <see cref="MostLarge"/> blocks are lent, the next are of 4 KiB. Keeps blocks
/// for use again, pinned once and for all. Thread-safe.
/// </summary>
internal sealed class TransportMemory : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    public const int Large = 64 << 10, Small = 4 << 10, MostLarge = 64;
    const int MostSmallKept = 64;
    readonly ConcurrentStack<byte[]> _large = [], _small = [];
    int _lent, _smallKept;
    long _lentBytes;

    /// <summary>Bytes of all blocks lent at present.</summary>
    public long LentBytes => Interlocked.Read(ref _lentBytes);

    public override int MaxBufferSize => Large;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, Large);
        if (Interlocked.Increment(ref _lent) <= MostLarge || minBufferSize > Small)
            return Lend(_large.TryPop(out var large) ? large : GC.AllocateUninitializedArray<byte>(Large, pinned: true));
        Interlocked.Decrement(ref _lent);
        if (!_small.TryPop(out var small)) return Lend(GC.AllocateUninitializedArray<byte>(Small, pinned: true));
        Interlocked.Decrement(ref _smallKept);
        return Lend(small);
    }

    Block Lend(byte[] bytes)
    {
        Interlocked.Add(ref _lentBytes, bytes.Length);
        return new Block(this, bytes);
    }

    // One for all of the broker's connections: it lives as long as they do.
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    protected override void Dispose(bool disposing)
    {
        _large.Clear();
        _small.Clear();
    }

    void Return(byte[] bytes)
    {
        Interlocked.Add(ref _lentBytes, -bytes.Length);
        if (bytes.Length == Large)
        {
            if (Interlocked.Decrement(ref _lent) < MostLarge) _large.Push(bytes);
        }
        else if (Interlocked.Increment(ref _smallKept) <= MostSmallKept) _small.Push(bytes);
        else Interlocked.Decrement(ref _smallKept);
    }

    sealed class Block(TransportMemory pool, byte[] bytes) : IMemoryOwner<byte>
    {
        int _returned;

        public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(bytes, 0, bytes.Length);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0) pool.Return(bytes);
        }
    }
}
