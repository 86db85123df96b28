namespace IotGateway.Log.Records.Zstd;

/// <summary>A bit stream read from its beginning, lowest bit first (RFC 8878 §4.1.1, table descriptions).</summary>
ref struct ForwardBits(ReadOnlySpan<byte> bytes)
{
    readonly ReadOnlySpan<byte> _bytes = bytes;
    int _position;

    /// <summary>Whole bytes touched so far.</summary>
    public readonly int BytesRead => _position + 7 >> 3;

    /// <summary>Takes bits, at most 16.</summary>
    public uint Read(int count)
    {
        var value = Peek(count);
        Skip(count);
        return value;
    }

    /// <summary>The next bits; zeros beyond the end.</summary>
    public readonly uint Peek(int count)
    {
        uint value = 0;
        var first = _position >> 3;
        for (var i = 0; i < 4 && first + i < _bytes.Length; i++) value |= (uint)_bytes[first + i] << 8 * i;
        return value >> (_position & 7) & (1u << count) - 1;
    }

    /// <summary>Takes bits peeked at.</summary>
    /// <exception cref="InvalidDataException">There are not so many.</exception>
    public void Skip(int count)
    {
        _position += count;
        if (_position > _bytes.Length * 8) throw new InvalidDataException("zstd: a table that ends early.");
    }
}
