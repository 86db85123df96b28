using System.Buffers.Binary;
using System.Numerics;

namespace IotGateway.Log.Records;

/// <summary>CRC-32C (Castagnoli), by the processor's instruction where it has one. Stateless.</summary>
public static class Crc32C
{
    /// <summary>The checksum of the bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Continue(~0u, bytes);

    // The running value is kept inverted between the calls, as the definition has it.
    static uint Continue(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return crc;
    }
}
