using System.Buffers.Binary;

namespace IotGateway.Log.Records;

/// <summary>
/// A view of one Kafka record batch of format 2 (KIP-98). All numbers are big-endian:
/// <code>
///  0 base offset i64 · 8 length i32 (of what follows) · 12 leader epoch i32 · 16 magic i8 = 2 · 17 CRC-32C u32 (of all from 21)
/// 21 attributes i16 · 23 last offset delta i32 · 27 base timestamp i64 · 35 max timestamp i64
/// 43 producer id i64 · 51 producer epoch i16 · 53 base sequence i32 · 57 record count i32 · 61 records
/// </code>
/// Base offset and leader epoch are the log's own and are not covered by the CRC. The view checks nothing but that the header is there.
/// </summary>
public readonly ref struct RecordBatch
{
    /// <summary>Bytes before the records.</summary>
    public const int HeaderSize = 61;
    /// <summary>Bytes not counted by the length field.</summary>
    public const int LengthOverhead = 12;
    /// <summary>Where the checksummed part starts.</summary>
    public const int ChecksummedFrom = 21;

    internal const int LengthAt = 8, EpochAt = 12, MagicAt = 16, CrcAt = 17, AttributesAt = 21, LastDeltaAt = 23, BaseTimestampAt = 27,
        MaxTimestampAt = 35, ProducerIdAt = 43, ProducerEpochAt = 51, SequenceAt = 53, CountAt = 57;
    internal const int LogAppendTimeBit = 0x08, TransactionalBit = 0x10, ControlBit = 0x20;

    readonly ReadOnlySpan<byte> _bytes;

    /// <summary>Looks at the batch that starts the bytes.</summary>
    /// <exception cref="InvalidDataException">Fewer bytes than a header has.</exception>
    public RecordBatch(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderSize) throw new InvalidDataException($"A record batch has at least {HeaderSize} bytes; there are {bytes.Length}.");
        _bytes = bytes;
    }

    /// <summary>Offset of the first record.</summary>
    public long BaseOffset => BinaryPrimitives.ReadInt64BigEndian(_bytes);
    /// <summary>Bytes of the whole batch, header included; may be nonsense in a corrupt one.</summary>
    public int Size => unchecked(BinaryPrimitives.ReadInt32BigEndian(_bytes[LengthAt..]) + LengthOverhead);
    /// <summary>Leader epoch.</summary>
    public int LeaderEpoch => BinaryPrimitives.ReadInt32BigEndian(_bytes[EpochAt..]);
    /// <summary>Format: 2.</summary>
    public byte Magic => _bytes[MagicAt];
    /// <summary>Checksum as stored.</summary>
    public uint Crc => BinaryPrimitives.ReadUInt32BigEndian(_bytes[CrcAt..]);
    /// <summary>Attributes as stored.</summary>
    public short Attributes => BinaryPrimitives.ReadInt16BigEndian(_bytes[AttributesAt..]);
    /// <summary>Compression of the records.</summary>
    public Compression Compression => (Compression)(Attributes & 7);
    /// <summary>Whether the timestamps are the log's.</summary>
    public bool IsLogAppendTime => (Attributes & LogAppendTimeBit) != 0;
    /// <summary>Whether it belongs to a transaction.</summary>
    public bool IsTransactional => (Attributes & TransactionalBit) != 0;
    /// <summary>Whether it is a marker.</summary>
    public bool IsControl => (Attributes & ControlBit) != 0;
    /// <summary>Offset of the last record less the base offset.</summary>
    public int LastOffsetDelta => BinaryPrimitives.ReadInt32BigEndian(_bytes[LastDeltaAt..]);
    /// <summary>Offset of the last record.</summary>
    public long LastOffset => BaseOffset + LastOffsetDelta;
    /// <summary>Timestamp the records' are relative to.</summary>
    public long BaseTimestamp => BinaryPrimitives.ReadInt64BigEndian(_bytes[BaseTimestampAt..]);
    /// <summary>Greatest timestamp.</summary>
    public long MaxTimestamp => BinaryPrimitives.ReadInt64BigEndian(_bytes[MaxTimestampAt..]);
    /// <summary>Producer id; -1 without.</summary>
    public long ProducerId => BinaryPrimitives.ReadInt64BigEndian(_bytes[ProducerIdAt..]);
    /// <summary>Producer epoch; -1 without.</summary>
    public short ProducerEpoch => BinaryPrimitives.ReadInt16BigEndian(_bytes[ProducerEpochAt..]);
    /// <summary>Sequence of the first record; -1 without.</summary>
    public int BaseSequence => BinaryPrimitives.ReadInt32BigEndian(_bytes[SequenceAt..]);
    /// <summary>Sequence of the last record; wraps to 0 after the greatest int.</summary>
    public int LastSequence => BaseSequence < 0 ? BaseSequence : (int)(((long)BaseSequence + LastOffsetDelta) & int.MaxValue);
    /// <summary>Number of records.</summary>
    public int Count => BinaryPrimitives.ReadInt32BigEndian(_bytes[CountAt..]);
    /// <summary>The records, compressed if they are.</summary>
    public ReadOnlySpan<byte> Records => _bytes[HeaderSize..Size];

    /// <summary>Whether the stored checksum is that of the bytes. The size must have been checked.</summary>
    public bool ChecksumHolds => Crc32C.Of(_bytes[ChecksummedFrom..Size]) == Crc;

    /// <summary>Whether the size is possible and all of the batch is there.</summary>
    public bool IsWhole => Size >= HeaderSize && Size <= _bytes.Length;

    /// <summary>Computes and stores the checksum of the batch that starts the bytes.</summary>
    internal static void Seal(Span<byte> batch)
        => BinaryPrimitives.WriteUInt32BigEndian(batch[CrcAt..], Crc32C.Of(batch[ChecksummedFrom..]));
}
