using System.Numerics;

namespace IotGateway.Log.Records;

/// <summary>Kafka's variable-length integers: zig-zag, seven bits a byte, low bits first.</summary>
static class Varint
{
    /// <summary>Bytes of the longest: 64 bits by seven.</summary>
    public const int Longest = 10;

    public static int Size(long value) => (BitOperations.Log2(Zig(value) | 1) / 7) + 1;

    public static int Write(Span<byte> to, long value)
    {
        var rest = Zig(value);
        var i = 0;
        for (; rest > 0x7F; rest >>= 7) to[i++] = (byte)(rest | 0x80);
        to[i++] = (byte)rest;
        return i;
    }

    /// <summary>Reads one and moves on; false at the end of the bytes or when it is longer than ten bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, ref int position, out long value)
    {
        ulong result = 0;
        for (var shift = 0; shift < 70 && (uint)position < (uint)from.Length; shift += 7)
        {
            var b = from[position++];
            result |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                value = (long)(result >> 1) ^ -(long)(result & 1);
                return true;
            }
        }
        value = 0;
        return false;
    }

    static ulong Zig(long value) => (ulong)((value << 1) ^ (value >> 63));
}
