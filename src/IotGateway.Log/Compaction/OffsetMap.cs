using System.Buffers.Binary;
using System.Security.Cryptography;

namespace IotGateway.Log.Compaction;

/// <summary>
/// Last offset of each key, by a 16-byte hash of it; at most as many keys as it was made for. Two keys of one hash would lose a record: with 2^20 keys
/// the odds are below 1 in 10^26. Not thread-safe.
/// </summary>
sealed class OffsetMap(int mostKeys)
{
    const int SmallTable = 1024;

    (UInt128 Hash, long Offset)[] _slots = NewTable(SmallTable);

    public int Count { get; private set; }

    public bool IsFull => Count >= mostKeys;

    public static UInt128 Hash(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    public void Put(UInt128 hash, long offset)
    {
        if (Count * 4L >= _slots.Length * 3L) Grow();
        ref var slot = ref Find(hash);
        if (slot.Offset < 0) Count++;
        slot = (hash, offset);
    }

    /// <summary>The key's last offset, or -1.</summary>
    public long Last(UInt128 hash) => Find(hash).Offset;

    ref (UInt128 Hash, long Offset) Find(UInt128 hash)
    {
        var mask = _slots.Length - 1;
        for (var at = (int)hash & mask; ; at = (at + 1) & mask)
        {
            ref var slot = ref _slots[at];
            if (slot.Offset < 0 || slot.Hash == hash) return ref slot;
        }
    }

    void Grow()
    {
        var old = _slots;
        _slots = NewTable(old.Length * 2);
        foreach (var (hash, offset) in old)
            if (offset >= 0) Find(hash) = (hash, offset);
    }

    static (UInt128, long)[] NewTable(int size)
    {
        var table = new (UInt128, long)[size];
        Array.Fill(table, (default, -1));
        return table;
    }
}
