using System.Buffers;
using System.Buffers.Binary;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;

namespace IotGateway.Log.Scrub;

/// <summary>
/// File <c>NNN.sums</c> beside a sealed segment: checksums of all of its bytes, those included that Kafka's batch CRC does not cover (base offset, length,
/// leader epoch), and of its indexes. Format version 1, little-endian:
/// <code>
///  0 magic u64 · 8 version i32 · 12 block size i32 = 65536 · 16 length i64 of the segment · 24 CRC-32C u32 of the offset index
/// 28 CRC-32C u32 of the time index · 32 count i32 · 36 CRC-32C u32 of bytes 0–35 and of all from 40 · 40 CRC-32C u32 of each block
/// </code>
/// The last block is what is left. Invariants: written when the segment is in a checkpoint for good, synced before that counts; a file of another length
/// than the segment's belongs to an older one (a version that does not know of it has compacted the segment) and is none. Kafka's tools pass over it.
/// Immutable, thread-safe.
/// </summary>
sealed class SegmentSums(long length, uint index, uint timeIndex, uint[] sums)
{
    public const string Extension = ".sums";
    public const int Block = 64 << 10;
    const ulong Magic = 0x53_4D_55_53_47_54_4F_49; // "IOTGSUMS"
    const int Version = 1, HeaderSize = 40, ChecksumAt = 36;

    public long Length => length;
    public uint Index => index;
    public uint TimeIndex => timeIndex;

    /// <summary>Bytes it takes in memory, about.</summary>
    public int Weight => sums.Length * sizeof(uint) + 64;

    public void Write(IDiskFile file)
    {
        var bytes = new byte[HeaderSize + sums.Length * sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Block);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), index);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(28), timeIndex);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(32), sums.Length);
        for (var i = 0; i < sums.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(HeaderSize + i * sizeof(uint)), sums[i]);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumAt), Checksum(bytes));
        file.SetLength(0);
        file.Write(bytes, 0);
    }

    /// <summary>Null when it is not there, damaged, of another version, or of another length than the segment: it can be made again.</summary>
    public static SegmentSums? Read(IDisk disk, string path, long length)
    {
        if (!disk.Exists(path)) return null;
        try
        {
            using var file = disk.Open(path, create: false);
            var bytes = new byte[HeaderSize + Blocks(length) * sizeof(uint)];
            return file.Length == bytes.Length && file.Read(bytes, 0) == bytes.Length ? Parse(bytes, length) : null;
        }
        catch (DiskException e) when (Damage.IsRot(e))
        {
            return null;
        }
    }

    /// <summary>
    /// The first block touched by what was read whose checksum does not hold, or -1. What the read has not got of the first and the last block is read
    /// from the file.
    /// </summary>
    /// <param name="log">The segment's file.</param>
    /// <param name="position">Where it was read.</param>
    /// <param name="bytes">What was read.</param>
    /// <param name="known">Damage known already: its blocks are passed over.</param>
    public long FirstBad(IDiskFile log, long position, ReadOnlySpan<byte> bytes, Damage? known)
    {
        if (bytes.IsEmpty || position + bytes.Length > length) return bytes.IsEmpty ? -1 : length / Block;
        var last = (position + bytes.Length - 1) / Block;
        Span<uint> four = stackalloc uint[4];
        for (var block = position / Block; block <= last;)
        {
            var start = block * Block;
            if (start >= position && start - position + 4 * Block <= bytes.Length)
            {
                Crc32C.OfQuarters(bytes.Slice((int)(start - position), 4 * Block), four);
                for (var i = 0; i < 4; i++)
                    if (four[i] != sums[block + i] && !Known(known, block + i)) return block + i;
                block += 4;
                continue;
            }
            if (!Known(known, block) && Of(log, block, position, bytes) != sums[block]) return block; // a known one may not be readable
            block++;
        }
        return -1;
    }

    static bool Known(Damage? damage, long block) => damage?.Blocks.Contains(block) == true;

    /// <summary>Whether a whole block is as it was written.</summary>
    public bool Holds(long block, ReadOnlySpan<byte> bytes) => bytes.Length == SizeOf(block) && Crc32C.Of(bytes) == sums[block];

    /// <summary>Bytes of a block.</summary>
    public int SizeOf(long block) => (int)Math.Min(Block, length - block * Block);

    public static long Blocks(long length) => (length + Block - 1) / Block;

    /// <summary>Checksum of a file's first bytes; a missing or shorter one has that of what is there.</summary>
    public static uint OfFile(IDisk disk, string path, long length)
    {
        if (length == 0 || !disk.Exists(path)) return Crc32C.Of(default);
        using var file = disk.Open(path, create: false);
        var bytes = new byte[length];
        return Crc32C.Of(bytes.AsSpan(0, file.Read(bytes, 0)));
    }

    uint Of(IDiskFile log, long block, long position, ReadOnlySpan<byte> bytes)
    {
        var (start, end) = (block * Block, block * Block + SizeOf(block));
        var (from, to) = (Math.Max(start, position), Math.Min(end, position + bytes.Length));
        var crc = ~0u;
        if (from > start) crc = Add(crc, log, start, from);
        crc = Crc32C.Continue(crc, bytes.Slice((int)(from - position), (int)(to - from)));
        if (end > to) crc = Add(crc, log, to, end);
        return ~crc;
    }

    static uint Add(uint crc, IDiskFile log, long from, long to)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)(to - from));
        try
        {
            var got = log.Read(buffer.AsSpan(0, (int)(to - from)), from);
            return Crc32C.Continue(crc, buffer.AsSpan(0, got));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    static SegmentSums? Parse(byte[] bytes, long length)
    {
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic || BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)) != Version
            || BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12)) != Block || BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(16)) != length
            || BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(32)) != Blocks(length)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(ChecksumAt)) != Checksum(bytes))
            return null;
        var sums = new uint[Blocks(length)];
        for (var i = 0; i < sums.Length; i++) sums[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(HeaderSize + i * sizeof(uint)));
        return new(length, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(24)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(28)), sums);
    }

    static uint Checksum(ReadOnlySpan<byte> bytes) => ~Crc32C.Continue(Crc32C.Continue(~0u, bytes[..ChecksumAt]), bytes[HeaderSize..]);
}
