using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace IotGateway.Broker.Server;

/// <summary>
/// Memory for what fetches read from segments, in arrays of 1 MiB (what consumers ask for of a partition by default), a few of which are kept for
/// use again: new ones of that size would each wait for a full collection. Smaller and larger reads have arrays of their own. Takes back any
/// array and keeps those that it may have lent. Thread-safe.
/// </summary>
internal sealed class ReadBuffers : ArrayPool<byte>
{
    public const int Size = 1 << 20, MostKept = 4;
    const int Least = 64 << 10; // below, new memory costs little
    readonly ConcurrentStack<byte[]> _kept = [];
    int _count;

    public override byte[] Rent(int minimumLength)
    {
        if (minimumLength is < Least or > Size) return GC.AllocateUninitializedArray<byte>(minimumLength);
        if (!_kept.TryPop(out var array)) return GC.AllocateUninitializedArray<byte>(Size);
        Interlocked.Decrement(ref _count);
        return array;
    }

    /// <summary>Gives back the array that the records lie in; nobody may look at them any more.</summary>
    public void GiveBack(ReadOnlyMemory<byte>? records)
    {
        if (records is { } lent && MemoryMarshal.TryGetArray(lent, out var segment) && segment.Array is { } array) Return(array);
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        if (array.Length != Size) return;
        if (Interlocked.Increment(ref _count) <= MostKept) _kept.Push(array);
        else Interlocked.Decrement(ref _count);
    }
}
