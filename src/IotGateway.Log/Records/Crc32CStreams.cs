using System.Numerics;
using System.Runtime.InteropServices;

namespace IotGateway.Log.Records;

/// <summary>
/// CRC-32C of three neighbouring strides at a time: the instruction has a latency of three and a throughput of one, so one stream leaves two thirds of
/// it idle. The checksum is linear: that of a stride followed by another is what zeros make of the first, with the second's (begun with zero) added by
/// exclusive or; and what a stride of zeros makes of a checksum is looked up byte by byte. Stateless.
/// </summary>
sealed class Crc32CStreams
{
    readonly uint[] _zeros = new uint[4 * 256];

    /// <param name="stride">Bytes of a stride; a multiple of 8.</param>
    public Crc32CStreams(int stride)
    {
        Stride = stride;
        var zeros = new byte[stride];
        for (var lane = 0; lane < 4; lane++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var moved = Crc32C.InTurn(1u << ((lane * 8) + bit), zeros);
                for (var value = 1 << bit; value < 256; value++)
                    if ((value >> bit & 1) != 0) _zeros[(lane * 256) + value] ^= moved;
            }
        }
    }

    public int Stride { get; }

    /// <summary>Goes on with a checksum over as many threes of strides as there are, and takes them off.</summary>
    public uint Continue(uint crc, ref ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 3 * Stride; bytes = bytes[(3 * Stride)..])
        {
            var a = MemoryMarshal.Cast<byte, ulong>(bytes[..Stride]);
            var b = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(Stride, Stride));
            var c = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(2 * Stride, Stride));
            var (x, y, z) = (crc, 0u, 0u);
            for (var i = 0; i < a.Length && i < b.Length && i < c.Length; i++)
            {
                x = BitOperations.Crc32C(x, a[i]);
                y = BitOperations.Crc32C(y, b[i]);
                z = BitOperations.Crc32C(z, c[i]);
            }
            crc = Zeros(Zeros(x) ^ y) ^ z;
        }
        return crc;
    }

    uint Zeros(uint crc) => _zeros[crc & 255] ^ _zeros[256 + (crc >> 8 & 255)] ^ _zeros[512 + (crc >> 16 & 255)] ^ _zeros[768 + (crc >> 24)];
}
