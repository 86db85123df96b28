namespace IotGateway.Log.Tests.Disk;

/// <summary>A file's bytes as they are, as they are durable, and the writes between.</summary>
sealed class SimulatedContent
{
    const int Sector = 512;

    byte[] _durable = [];
    readonly List<(long Position, byte[]? Bytes)> _pending = [];

    /// <summary>What reads see.</summary>
    public byte[] Bytes { get; private set; } = [];

    public void Write(long position, byte[] bytes)
    {
        _pending.Add((position, bytes));
        Bytes = Apply(Bytes, position, bytes, inPlace: true);
    }

    public void SetLength(long length)
    {
        _pending.Add((length, null));
        Bytes = Resize(Bytes, length);
    }

    public void Sync()
    {
        _durable = (byte[])Bytes.Clone();
        _pending.Clear();
    }

    /// <summary>Any subset of the unsynced writes, each whole or some of its sectors.</summary>
    public SimulatedContent Survivor(Random random)
    {
        var bytes = (byte[])_durable.Clone();
        var keep = random.Next(4); // 0: nothing, 1: all, else some
        foreach (var (position, written) in _pending)
        {
            if (keep == 0 || (keep > 1 && random.Next(2) == 0)) continue;
            if (written is null) bytes = Resize(bytes, position);
            else if (keep > 1 && random.Next(3) == 0) bytes = Tear(bytes, position, written, random);
            else bytes = Apply(bytes, position, written, inPlace: true);
        }
        return new() { _durable = (byte[])bytes.Clone(), Bytes = bytes };
    }

    static byte[] Tear(byte[] to, long position, byte[] written, Random random)
    {
        for (var at = 0; at < written.Length;)
        {
            var length = (int)Math.Min(Sector - (position + at) % Sector, written.Length - at);
            if (random.Next(2) == 0) to = Apply(to, position + at, written.AsSpan(at, length).ToArray(), inPlace: true);
            at += length;
        }
        return to;
    }

    static byte[] Apply(byte[] to, long position, byte[] written, bool inPlace)
    {
        if (to.Length < position + written.Length) to = Resize(to, position + written.Length);
        else if (!inPlace) to = (byte[])to.Clone();
        written.CopyTo(to, position);
        return to;
    }

    static byte[] Resize(byte[] bytes, long length)
    {
        Array.Resize(ref bytes, (int)length);
        return bytes;
    }
}
