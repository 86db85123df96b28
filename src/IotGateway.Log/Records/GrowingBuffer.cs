namespace IotGateway.Log.Records;

/// <summary>Output of a decompressor: grows with what really comes out, never beyond its cap. Not thread-safe.</summary>
/// <param name="cap">Most bytes it may hold.</param>
/// <param name="hint">Size to begin with; taken as a guess, not believed.</param>
sealed class GrowingBuffer(int cap, int hint)
{
    byte[] _bytes = new byte[Math.Min(cap, Math.Clamp(hint, 4096, 1 << 20))];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    /// <summary>Adds bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Grow(bytes.Length));

    /// <summary>Adds one byte many times.</summary>
    public void Fill(byte value, int count) => Grow(count).Fill(value);

    /// <summary>Adds what stands <paramref name="distance"/> bytes back; may overlap itself.</summary>
    public void Repeat(int distance, int count)
    {
        var from = Length - distance;
        var target = Grow(count);
        if (distance >= count) { _bytes.AsSpan(from, count).CopyTo(target); return; }
        for (var i = 0; i < target.Length; i++) target[i] = _bytes[from + i];
    }

    Span<byte> Grow(int count)
    {
        var needed = (long)Length + count;
        if (needed > cap) throw new InvalidDataException($"A compressed batch opens to more than {cap} bytes.");
        if (needed > _bytes.Length) Array.Resize(ref _bytes, (int)Math.Min(cap, Math.Max(needed, _bytes.Length * 2L)));
        var span = _bytes.AsSpan(Length, count);
        Length += count;
        return span;
    }
}
