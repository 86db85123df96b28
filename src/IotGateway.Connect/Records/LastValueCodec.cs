// A last value on disk: version (1), quality (low 2 bits) and flags (4 = status, 8 = label follow), source time ticks (8), gateway time
// ticks (8), value, [status], [label]. Little endian. A value is its DataType (1), then: bool and 8 bit 1 byte, 16 bit 2, 32 bit 4,
// 64 bit and time 8, decimal 16, string and bytes a 4 byte length and the bytes, array a 4 byte count and the values, structure a
// 4 byte count and name, value pairs. A scalar takes 19 to 35 bytes, so that 100,000 tags stay far below 10 MB.
using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Records;

/// <summary>Last values as bytes of the table <c>connect.last</c>. Pure. Unknown versions and damaged entries read as absent.</summary>
static class LastValueCodec
{
    const byte Version = 1, HasStatus = 4, HasLabel = 8;

    /// <summary>Longest encoded last value that is kept; beyond it the tag has none.</summary>
    public const int MaxBytes = 1024;

    public static void Write(IBufferWriter<byte> to, in Reading reading)
    {
        var head = to.GetSpan(18);
        head[0] = Version;
        head[1] = (byte)((byte)reading.Quality | (reading.Status is null ? 0 : HasStatus) | (reading.Label is null ? 0 : HasLabel));
        BinaryPrimitives.WriteInt64LittleEndian(head[2..], reading.SourceTime.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(head[10..], reading.GatewayTime.Ticks);
        to.Advance(18);
        WriteValue(to, reading.Value);
        if (reading.Status is { } status) WriteText(to, status);
        if (reading.Label is { } label) WriteText(to, label);
    }

    public static bool TryRead(Tag tag, ReadOnlySpan<byte> from, out Reading reading)
    {
        reading = default;
        if (from.Length < 19 || from[0] != Version) return false;
        try
        {
            var flags = from[1];
            var source = new DateTime(BinaryPrimitives.ReadInt64LittleEndian(from[2..]), DateTimeKind.Utc);
            var gateway = new DateTime(BinaryPrimitives.ReadInt64LittleEndian(from[10..]), DateTimeKind.Utc);
            from = from[18..];
            var value = ReadValue(ref from);
            reading = new(tag, value, source, gateway)
            {
                Quality = (Quality)(flags & 3),
                Status = (flags & HasStatus) != 0 ? ReadText(ref from) : null,
                Label = (flags & HasLabel) != 0 ? ReadText(ref from) : null,
            };
            return true;
        }
        catch (Exception e) when (e is ArgumentException or OverflowException or InvalidDataException)
        {
            reading = default;
            return false;
        }
    }

    static void WriteValue(IBufferWriter<byte> to, in Value value)
    {
        var span = to.GetSpan(17);
        span[0] = (byte)value.Type;
        var length = 1;
        switch (value.Type)
        {
            case DataType.None: break;
            case DataType.Bool: span[1] = value.AsBool ? (byte)1 : (byte)0; length += 1; break;
            case DataType.Int8: span[1] = unchecked((byte)value.AsInt64); length += 1; break;
            case DataType.UInt8: span[1] = (byte)value.AsUInt64; length += 1; break;
            case DataType.Int16: BinaryPrimitives.WriteInt16LittleEndian(span[1..], (short)value.AsInt64); length += 2; break;
            case DataType.UInt16: BinaryPrimitives.WriteUInt16LittleEndian(span[1..], (ushort)value.AsUInt64); length += 2; break;
            case DataType.Int32: BinaryPrimitives.WriteInt32LittleEndian(span[1..], (int)value.AsInt64); length += 4; break;
            case DataType.UInt32: BinaryPrimitives.WriteUInt32LittleEndian(span[1..], (uint)value.AsUInt64); length += 4; break;
            case DataType.Int64: BinaryPrimitives.WriteInt64LittleEndian(span[1..], value.AsInt64); length += 8; break;
            case DataType.UInt64: BinaryPrimitives.WriteUInt64LittleEndian(span[1..], value.AsUInt64); length += 8; break;
            case DataType.Float32: BinaryPrimitives.WriteSingleLittleEndian(span[1..], value.AsFloat32); length += 4; break;
            case DataType.Float64: BinaryPrimitives.WriteDoubleLittleEndian(span[1..], value.AsDouble); length += 8; break;
            case DataType.Time: BinaryPrimitives.WriteInt64LittleEndian(span[1..], value.AsTime.Ticks); length += 8; break;
            case DataType.Decimal:
                Span<int> words = stackalloc int[4];
                decimal.GetBits(value.AsDecimal, words);
                for (var i = 0; i < 4; i++) BinaryPrimitives.WriteInt32LittleEndian(span[(1 + 4 * i)..], words[i]);
                length += 16;
                break;
            case DataType.String: to.Advance(1); WriteText(to, value.AsString); return;
            case DataType.Bytes: to.Advance(1); WriteBytes(to, value.AsBytes.Span); return;
            case DataType.Array:
                to.Advance(1);
                WriteCount(to, value.AsArray.Length);
                foreach (var item in value.AsArray.Span) WriteValue(to, item);
                return;
            case DataType.Structure:
                to.Advance(1);
                WriteCount(to, value.AsStructure.Count);
                foreach (var field in value.AsStructure)
                {
                    WriteText(to, field.Key);
                    WriteValue(to, field.Value);
                }
                return;
        }
        to.Advance(length);
    }

    static Value ReadValue(ref ReadOnlySpan<byte> from)
    {
        var type = (DataType)Take(ref from, 1)[0];
        switch (type)
        {
            case DataType.None: return Value.None;
            case DataType.Bool: return Value.Of(Take(ref from, 1)[0] != 0);
            case DataType.Int8: return Value.Of(unchecked((sbyte)Take(ref from, 1)[0]));
            case DataType.UInt8: return Value.Of(Take(ref from, 1)[0]);
            case DataType.Int16: return Value.Of(BinaryPrimitives.ReadInt16LittleEndian(Take(ref from, 2)));
            case DataType.UInt16: return Value.Of(BinaryPrimitives.ReadUInt16LittleEndian(Take(ref from, 2)));
            case DataType.Int32: return Value.Of(BinaryPrimitives.ReadInt32LittleEndian(Take(ref from, 4)));
            case DataType.UInt32: return Value.Of(BinaryPrimitives.ReadUInt32LittleEndian(Take(ref from, 4)));
            case DataType.Int64: return Value.Of(BinaryPrimitives.ReadInt64LittleEndian(Take(ref from, 8)));
            case DataType.UInt64: return Value.Of(BinaryPrimitives.ReadUInt64LittleEndian(Take(ref from, 8)));
            case DataType.Float32: return Value.Of(BinaryPrimitives.ReadSingleLittleEndian(Take(ref from, 4)));
            case DataType.Float64: return Value.Of(BinaryPrimitives.ReadDoubleLittleEndian(Take(ref from, 8)));
            case DataType.Time: return Value.Of(new DateTime(BinaryPrimitives.ReadInt64LittleEndian(Take(ref from, 8)), DateTimeKind.Utc));
            case DataType.Decimal:
                Span<int> words = stackalloc int[4];
                for (var i = 0; i < 4; i++) words[i] = BinaryPrimitives.ReadInt32LittleEndian(Take(ref from, 4));
                return Value.Of(new decimal(words));
            case DataType.String: return Value.Of(ReadText(ref from));
            case DataType.Bytes: return Value.Of((ReadOnlyMemory<byte>)ReadBytes(ref from).ToArray());
            case DataType.Array:
                var items = new Value[ReadCount(ref from)];
                for (var i = 0; i < items.Length; i++) items[i] = ReadValue(ref from);
                return Value.Of((ReadOnlyMemory<Value>)items);
            case DataType.Structure:
                var fields = new KeyValuePair<string, Value>[ReadCount(ref from)];
                for (var i = 0; i < fields.Length; i++) fields[i] = new(ReadText(ref from), ReadValue(ref from));
                return Value.Of(fields);
            default: throw new InvalidDataException("Unknown kind of value.");
        }
    }

    static void WriteText(IBufferWriter<byte> to, string text)
    {
        var span = to.GetSpan(4 + Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, span[4..]);
        BinaryPrimitives.WriteInt32LittleEndian(span, length);
        to.Advance(4 + length);
    }

    static void WriteBytes(IBufferWriter<byte> to, ReadOnlySpan<byte> bytes)
    {
        WriteCount(to, bytes.Length);
        to.Write(bytes);
    }

    static void WriteCount(IBufferWriter<byte> to, int count)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to.GetSpan(4), count);
        to.Advance(4);
    }

    static string ReadText(ref ReadOnlySpan<byte> from) => Encoding.UTF8.GetString(ReadBytes(ref from));

    static ReadOnlySpan<byte> ReadBytes(ref ReadOnlySpan<byte> from) => Take(ref from, BinaryPrimitives.ReadInt32LittleEndian(Take(ref from, 4)));

    // Every item takes at least a byte: a damaged count can not ask for more memory than the entry has.
    static int ReadCount(ref ReadOnlySpan<byte> from)
    {
        var count = BinaryPrimitives.ReadInt32LittleEndian(Take(ref from, 4));
        return count >= 0 && count <= from.Length ? count : throw new InvalidDataException("Count.");
    }

    static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> from, int length)
    {
        var taken = from[..length];
        from = from[length..];
        return taken;
    }
}
