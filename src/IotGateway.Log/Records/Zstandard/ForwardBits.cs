using IotGateway.Log.Bytes;

namespace IotGateway.Log.Records.Zstandard;

/// <summary>Writes the bit streams that <see cref="BackwardBits"/> reads from their end: low bits first, and a 1 as the end mark. Not thread-safe.</summary>
ref struct ForwardBits(ByteWriter output)
{
    readonly ByteWriter _output = output;
    ulong _bits;
    int _count;

    /// <param name="value">Has no more than so many bits.</param>
    /// <param name="count">At most 32.</param>
    public void Write(uint value, int count)
    {
        _bits |= (ulong)value << _count;
        for (_count += count; _count >= 8; _count -= 8, _bits >>= 8) _output.Byte((byte)_bits);
    }

    /// <summary>Fills the last byte with zeros; for streams read forwards.</summary>
    public void Pad()
    {
        if (_count > 0) _output.Byte((byte)_bits);
        (_bits, _count) = (0, 0);
    }

    /// <summary>The end of a stream read backwards.</summary>
    public void End()
    {
        Write(1, 1);
        Pad();
    }
}
