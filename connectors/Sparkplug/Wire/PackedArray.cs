using System.Buffers.Binary;
using System.Text;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>Array values: little-endian elements one after the other in <c>bytes_value</c> (Sparkplug 3.0 §6.4.17). Pure.</summary>
static class PackedArray
{
    /// <summary>Most elements of all arrays in one payload: a bit on the wire takes 32 bytes here. A record of more would be refused by the log anyway.</summary>
    public const int MostElements = 500_000;

    /// <summary>The elements.</summary>
    /// <exception cref="PayloadException">The octets are no such array.</exception>
    public static Value Read(MetricType type, ReadOnlySpan<byte> bytes, ref int room)
    {
        var array = type switch
        {
            MetricType.Int8Array => Each(bytes, 1, room, static b => Value.Of((sbyte)b[0])),
            MetricType.Int16Array => Each(bytes, 2, room, static b => Value.Of(BinaryPrimitives.ReadInt16LittleEndian(b))),
            MetricType.Int32Array => Each(bytes, 4, room, static b => Value.Of(BinaryPrimitives.ReadInt32LittleEndian(b))),
            MetricType.Int64Array => Each(bytes, 8, room, static b => Value.Of(BinaryPrimitives.ReadInt64LittleEndian(b))),
            MetricType.UInt8Array => Each(bytes, 1, room, static b => Value.Of(b[0])),
            MetricType.UInt16Array => Each(bytes, 2, room, static b => Value.Of(BinaryPrimitives.ReadUInt16LittleEndian(b))),
            MetricType.UInt32Array => Each(bytes, 4, room, static b => Value.Of(BinaryPrimitives.ReadUInt32LittleEndian(b))),
            MetricType.UInt64Array => Each(bytes, 8, room, static b => Value.Of(BinaryPrimitives.ReadUInt64LittleEndian(b))),
            MetricType.FloatArray => Each(bytes, 4, room, static b => Value.Of(BinaryPrimitives.ReadSingleLittleEndian(b))),
            MetricType.DoubleArray => Each(bytes, 8, room, static b => Value.Of(BinaryPrimitives.ReadDoubleLittleEndian(b))),
            MetricType.DateTimeArray => Each(bytes, 8, room, static b => MetricValue.Time(BinaryPrimitives.ReadUInt64LittleEndian(b))),
            MetricType.BooleanArray => Booleans(bytes, room),
            MetricType.StringArray => Strings(bytes, room),
            _ => throw new PayloadException($"{type} is no array."),
        };
        room -= array.Length;
        return Value.Of((ReadOnlyMemory<Value>)array);
    }

    delegate Value Element(ReadOnlySpan<byte> bytes);

    static Value[] Each(ReadOnlySpan<byte> bytes, int size, int room, Element read)
    {
        if (bytes.Length / size > room) throw TooLong();
        if (bytes.Length % size != 0) throw new PayloadException($"An array of elements of {size} bytes has {bytes.Length} bytes.");
        var items = new Value[bytes.Length / size];
        for (var i = 0; i < items.Length; i++) items[i] = read(bytes.Slice(i * size, size));
        return items;
    }

    // A count of 4 bytes, then eight to a byte, the first in the highest bit.
    static Value[] Booleans(ReadOnlySpan<byte> bytes, int room)
    {
        if (bytes.Length < 4) throw new PayloadException("An array of booleans lacks its count.");
        var count = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        bytes = bytes[4..];
        if (count > 8L * bytes.Length) throw new PayloadException($"An array of {count} booleans has only {bytes.Length} bytes.");
        if (count > room) throw TooLong();
        var items = new Value[count];
        for (var i = 0; i < items.Length; i++) items[i] = Value.Of((bytes[i >> 3] >> (7 - (i & 7)) & 1) != 0);
        return items;
    }

    // Each ends with a zero byte.
    static Value[] Strings(ReadOnlySpan<byte> bytes, int room)
    {
        var items = new List<Value>();
        while (!bytes.IsEmpty)
        {
            var end = bytes.IndexOf((byte)0);
            if (end < 0) throw new PayloadException("The last of an array of strings does not end.");
            if (items.Count == room) throw TooLong();
            items.Add(Value.Of(Encoding.UTF8.GetString(bytes[..end])));
            bytes = bytes[(end + 1)..];
        }
        return [.. items];
    }

    static PayloadException TooLong() => new($"The arrays of one payload have more than {MostElements} elements together.");
}
