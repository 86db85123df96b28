namespace IotGateway.Log.Records;

/// <summary>What a decoder has put out so far: grows as needed, never beyond the cap. Matches copy from it.</summary>
sealed class DecodedBytes(int cap, int expected)
{
    byte[] _bytes = new byte[Math.Min(cap, Math.Clamp(expected, 256, 1 << 20))];

    public int Length { get; private set; }
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Add(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Space(bytes.Length));

    public void Fill(byte value, int count) => Space(count).Fill(value);

    /// <summary>Repeats bytes put out <paramref name="distance"/> ago; they may overlap with what they make.</summary>
    public void Repeat(int distance, int count)
    {
        if (distance <= 0 || distance > Length) throw new InvalidDataException("A compressed batch refers to bytes before its start.");
        var from = Length - distance;
        var to = Space(count);
        if (distance >= count) _bytes.AsSpan(from, count).CopyTo(to);
        else
            for (var i = 0; i < count; i++) to[i] = _bytes[from + i];
    }

    Span<byte> Space(int count)
    {
        if (count > cap - Length) throw new InvalidDataException($"A compressed batch opens to more than {cap} bytes.");
        if (_bytes.Length - Length < count) Array.Resize(ref _bytes, (int)Math.Min(cap, Math.Max(_bytes.Length * 2L, Length + (long)count)));
        Length += count;
        return _bytes.AsSpan(Length - count, count);
    }
}
