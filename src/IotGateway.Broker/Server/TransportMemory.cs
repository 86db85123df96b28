using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace IotGateway.Broker.Server;

/// <summary>
/// Memory the connections' sockets read into and write from, in blocks of 64 KiB: a produce request or a fetched batch takes a few system
/// calls and not one for every 4 KiB, as Kestrel's own blocks have it. Idle connections hold none. Keeps a bounded number of blocks for
/// use again, pinned once and for all. Thread-safe.
/// </summary>
internal sealed class TransportMemory : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    const int BlockSize = 64 << 10, MostKept = 64;
    readonly ConcurrentStack<byte[]> _kept = [];
    int _count;

    public override int MaxBufferSize => BlockSize;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        if (!_kept.TryPop(out var bytes)) return new Block(this, GC.AllocateUninitializedArray<byte>(BlockSize, pinned: true));
        Interlocked.Decrement(ref _count);
        return new Block(this, bytes);
    }

    // One for all of the broker's connections: it lives as long as they do.
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    protected override void Dispose(bool disposing) => _kept.Clear();

    void Return(byte[] bytes)
    {
        if (Interlocked.Increment(ref _count) <= MostKept) _kept.Push(bytes);
        else Interlocked.Decrement(ref _count);
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
