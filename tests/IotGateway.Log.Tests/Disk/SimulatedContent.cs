namespace IotGateway.Log.Tests.Disk;

/// <summary>A file's bytes as they are, as they are durable, and the writes between.</summary>
sealed class SimulatedContent
{
    const int Sector = 512;

    byte[] _durable = [];
    readonly List<(long Position, byte[]? Bytes)> _pending = [];

    /// <summary>Space it takes at least.</summary>
    public long Allocated { get; set; }

    /// <summary>Space it takes.</summary>
    public long Space => Math.Max(Allocated, Bytes.Length);

    /// <summary>What reads see.</summary>
    public byte[] Bytes { get; private set; } = [];

    /// <summary>From here until the next write, changing <see cref="Bytes"/> is damage on the disk itself.</summary>
    public void Expose() => _durable = Bytes;

    /// <summary>The disk spoils a byte that the page cache still has right.</summary>
    public void RotUnderneath(int at)
    {
        _durable = (byte[])Bytes.Clone();
        _durable[at] ^= 1;
    }

    public void Write(long position, byte[] bytes)
    {
        if (ReferenceEquals(_durable, Bytes)) _durable = (byte[])Bytes.Clone();
        _pending.Add((position, bytes));
        Bytes = Apply(Bytes, position, bytes, inPlace: true);
    }

    public void SetLength(long length)
    {
        _pending.Add((length, null));
        Bytes = Resize(Bytes, length);
    }

    // Only what is pending: what an earlier sync has failed to write stays unwritten.
    public void Sync()
    {
        foreach (var (position, written) in _pending)
            _durable = written is null ? Resize(_durable, position) : Apply(_durable, position, written, inPlace: true);
        _pending.Clear();
    }

    /// <summary>A sync has failed: the unsynced writes look written (their pages are clean) and never reach the disk.</summary>
    public void FailSync() => _pending.Clear();

    /// <summary>What a read past the page cache gets: what is durable and what is yet to be written.</summary>
    public byte[] OnDisk()
    {
        var bytes = (byte[])_durable.Clone();
        foreach (var (position, written) in _pending) bytes = written is null ? Resize(bytes, position) : Apply(bytes, position, written, inPlace: true);
        // The length is metadata and known whatever became of the bytes.
        return bytes.Length == Bytes.Length ? bytes : Resize(bytes, Bytes.Length);
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
        return new() { _durable = (byte[])bytes.Clone(), Bytes = bytes, Allocated = Allocated };
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
