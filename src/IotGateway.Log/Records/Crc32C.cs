using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace IotGateway.Log.Records;

/// <summary>CRC-32C (Castagnoli), by the processor's instruction where it has one. Stateless.</summary>
public static class Crc32C
{
    static readonly Crc32CStreams Far = new(1024), Near = new(128);

    /// <summary>The checksum of the bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Continue(~0u, bytes);

    /// <summary>Four checksums at once, of the quarters of the bytes: the instruction has a latency of three, so one stream alone leaves it idle.</summary>
    /// <param name="bytes">A multiple of 32 bytes.</param>
    /// <param name="sums">Where the four go.</param>
    internal static void OfQuarters(ReadOnlySpan<byte> bytes, Span<uint> sums)
    {
        var length = bytes.Length / 4;
        var a = MemoryMarshal.Cast<byte, ulong>(bytes[..length]);
        var b = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(length, length));
        var c = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(length * 2, length));
        var d = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(length * 3, length));
        var (w, x, y, z) = (~0u, ~0u, ~0u, ~0u);
        for (var i = 0; i < a.Length && i < b.Length && i < c.Length && i < d.Length; i++)
        {
            w = BitOperations.Crc32C(w, a[i]);
            x = BitOperations.Crc32C(x, b[i]);
            y = BitOperations.Crc32C(y, c[i]);
            z = BitOperations.Crc32C(z, d[i]);
        }
        (sums[0], sums[1], sums[2], sums[3]) = (~w, ~x, ~y, ~z);
    }

    /// <summary>Goes on with a checksum; it begins with all ones, and is inverted at the end.</summary>
    internal static uint Continue(uint crc, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= 3 * Far.Stride) crc = Far.Continue(crc, ref bytes);
        if (bytes.Length >= 3 * Near.Stride) crc = Near.Continue(crc, ref bytes);
        return InTurn(crc, bytes);
    }

    /// <summary>Goes on with a checksum over bytes whose own is known, without reading them.</summary>
    internal static uint Continue(uint crc, uint sum, int length) => Crc32CZeros.After(~crc, length) ^ ~sum;

    /// <summary>One byte after the other, in steps of eight.</summary>
    internal static uint InTurn(uint crc, ReadOnlySpan<byte> bytes)
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
