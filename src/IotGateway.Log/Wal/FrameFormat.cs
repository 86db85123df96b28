using System.Buffers.Binary;
using IotGateway.Log.Bytes;
using IotGateway.Log.Records;

namespace IotGateway.Log.Wal;

/// <summary>
/// The write-ahead log's format, version 1. Invariants:
/// <list type="bullet">
/// <item>A fixed set of files <c>wal/NN.wal</c> of one size, zero-filled before first use and then recycled. All numbers little-endian.</item>
/// <item>File header, 4096 bytes: 0 magic u64 · 8 version i32 · 12 CRC-32C u32 of bytes 16–47 · 16 salt u64, new and random at each use of the
/// file · 24 first sequence i64 · 32 file size i64 · 40 generation i64. The rest is zero.</item>
/// <item>Generations rise by one with each use of any file. A file's frames end where the next generation's first sequence says: a start may begin
/// a file at the same sequence again, when nothing of the former attempt was durable.</item>
/// <item>Frames follow, each starting at a multiple of 4096, so that a torn write never touches an older frame's sector:
/// 0 magic u32 · 4 CRC-32C u32 of all from 8 · 8 length i32, header included · 12 reserved i32 = 0 · 16 sequence i64 · 24 durable sequence i64 ·
/// 32 salt u64, the file's · 40 time i64 (ms, <see cref="LogClock"/>) · 48 entries (<see cref="EntryKind"/>). The rest up to the next multiple is undefined.</item>
/// <item>Sequences rise by one, within a file and from file to file. The durable sequence is the highest known to be synced when the frame was
/// written: an invalid frame at or below the highest one recorded anywhere is rot, one above it is a torn tail.</item>
/// <item>What is left of the file's former use carries another salt and is nothing. A start never goes on writing in a file it has found.</item>
/// <item>A frame without entries is a mark: it records the durable sequence of an idle log.</item>
/// </list>
/// </summary>
static class FrameFormat
{
    public const int Page = 4096, HeaderSize = 48, Version = 1;
    const ulong FileMagic = 0x4C_41_57_57_47_54_4F_49; // "IOTGWWAL"
    const uint FrameMagic = 0x46_57_47_49; // "IGWF"
    const int FileHeaderUsed = 48;

    public static long Padded(long length) => (length + Page - 1) & -Page;

    public static void WriteFileHeader(Span<byte> page, in FileHeader header)
    {
        page[..Page].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(page, FileMagic);
        BinaryPrimitives.WriteInt32LittleEndian(page[8..], Version);
        BinaryPrimitives.WriteUInt64LittleEndian(page[16..], header.Salt);
        BinaryPrimitives.WriteInt64LittleEndian(page[24..], header.FirstSequence);
        BinaryPrimitives.WriteInt64LittleEndian(page[32..], header.FileSize);
        BinaryPrimitives.WriteInt64LittleEndian(page[40..], header.Generation);
        BinaryPrimitives.WriteUInt32LittleEndian(page[12..], Crc32C.Of(page[16..FileHeaderUsed]));
    }

    /// <summary>Null when it is not a header. A newer version is refused, not taken for damage.</summary>
    public static FileHeader? ReadFileHeader(ReadOnlySpan<byte> page, string path)
    {
        if (page.Length < FileHeaderUsed || BinaryPrimitives.ReadUInt64LittleEndian(page) != FileMagic) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(page[12..]) != Crc32C.Of(page[16..FileHeaderUsed])) return null;
        var version = BinaryPrimitives.ReadInt32LittleEndian(page[8..]);
        if (version != Version)
            throw new LogFormatException($"'{path}' has format version {version}; this program reads {Version}. Use the version that wrote it.");
        return new(BinaryPrimitives.ReadUInt64LittleEndian(page[16..]), BinaryPrimitives.ReadInt64LittleEndian(page[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(page[32..]), BinaryPrimitives.ReadInt64LittleEndian(page[40..]));
    }

    /// <summary>Fills in the header of the frame whose entries were written after <see cref="HeaderSize"/> bytes.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="header">What its header says.</param>
    /// <param name="known">Checksums of parts of it, in their order.</param>
    public static void Seal(ByteWriter frame, in FrameHeader header, IReadOnlyList<KnownSum> known)
    {
        var bytes = frame.At(0, frame.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, FrameMagic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], frame.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], header.Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[24..], header.DurableSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[32..], header.Salt);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[40..], header.Time);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], Sum(bytes, known));
    }

    static uint Sum(ReadOnlySpan<byte> frame, IReadOnlyList<KnownSum> known)
    {
        var (crc, at) = (~0u, 8);
        foreach (var part in known)
        {
            crc = Crc32C.Continue(Crc32C.Continue(crc, frame[at..part.At]), part.Sum, part.Length);
            at = part.At + part.Length;
        }
        return ~Crc32C.Continue(crc, frame[at..]);
    }

    /// <summary>A frame's header as it stands there, unchecked but for magic, salt and a possible length; null when it is none of this file's.</summary>
    public static FrameHeader? ReadHeader(ReadOnlySpan<byte> bytes, ulong salt, long room)
    {
        if (bytes.Length < HeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != FrameMagic) return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        if (length < HeaderSize || length > room || BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]) != salt) return null;
        return new(BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]), salt,
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]), length);
    }

    public static bool ChecksumHolds(ReadOnlySpan<byte> frame)
        => BinaryPrimitives.ReadUInt32LittleEndian(frame[4..]) == Crc32C.Of(frame[8..]);
}

/// <summary>What stands at the head of a file.</summary>
readonly record struct FileHeader(ulong Salt, long FirstSequence, long FileSize, long Generation);

/// <summary>What stands at the head of a frame.</summary>
readonly record struct FrameHeader(long Sequence, long DurableSequence, ulong Salt, long Time, int Length = 0);

/// <summary>The CRC-32C of a part of a frame.</summary>
readonly record struct KnownSum(int At, int Length, uint Sum)
{
    /// <summary>Bytes from which on joining a known checksum is quicker than reading them.</summary>
    public const int Least = 16 << 10;
}
