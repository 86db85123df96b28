using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Record batches (v2) as a client makes them: uncompressed, no keys, no headers.</summary>
static class Batches
{
    public static byte[] Of(params string[] values) => Of(-1, -1, -1, values);

    public static byte[] Of(long producerId, short epoch, int sequence, params string[] values)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var records = new List<byte>();
        for (var i = 0; i < values.Length; i++)
        {
            var record = new List<byte> { 0 }; // attributes
            Varint(record, 0);
            Varint(record, i);
            Varint(record, -1);
            var value = Encoding.UTF8.GetBytes(values[i]);
            Varint(record, value.Length);
            record.AddRange(value);
            Varint(record, 0);
            Varint(records, record.Count);
            records.AddRange(record);
        }
        var batch = new byte[61 + records.Count];
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), batch.Length - 12);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(12), -1);
        batch[16] = 2;
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(23), values.Length - 1);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(27), now);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(35), now);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(43), producerId);
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(51), epoch);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(53), sequence);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(57), values.Length);
        records.CopyTo(batch, 61);
        return Sealed(batch);
    }

    /// <summary>The batch itself, with the checksum of what is in it now.</summary>
    public static byte[] Sealed(byte[] batch)
    {
        BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(17), Crc(batch.AsSpan(21)));
        return batch;
    }

    /// <summary>Turns a batch into one of a transaction.</summary>
    public static void MakeTransactional(byte[] batch)
    {
        batch[22] |= 0x10;
        BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(17), Crc(batch.AsSpan(21)));
    }

    static uint Crc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var b in data) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }

    static void Varint(List<byte> to, int value)
    {
        var rest = (uint)((value << 1) ^ (value >> 31));
        for (; rest >= 0x80; rest >>= 7) to.Add((byte)(rest | 0x80));
        to.Add((byte)rest);
    }
}
