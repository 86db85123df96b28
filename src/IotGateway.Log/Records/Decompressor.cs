namespace IotGateway.Log.Records;

/// <summary>Opens a batch's records. What comes out is bounded by the caller's cap, checked as it grows. Stateless.</summary>
static class Decompressor
{
    const int Window = 64 << 10; // LZ4's largest distance; Snappy's and gzip's are smaller as all known encoders write them
    const int LeastMemory = 1 << 20, MemoryPerByte = 16, LargestWindow = 8 << 20; // RFC 8878 §3.1.1.1.2: what a decoder should support

    /// <summary>What opening that many bytes may hold in memory at once: 1 MiB, or sixteen times as much.</summary>
    public static long Memory(int packed) => Math.Max(LeastMemory, packed * (long)MemoryPerByte);

    /// <summary>Opens all of it.</summary>
    /// <exception cref="InvalidDataException">Malformed, or larger than the cap.</exception>
    /// <exception cref="UnsupportedCompressionException">No decoder for it.</exception>
    public static ReadOnlyMemory<byte> Open(Compression compression, ReadOnlyMemory<byte> records, int cap)
        => TryOpen(compression, records, cap, out var opened) ? opened : throw new InvalidDataException($"A compressed batch opens to more than {cap} bytes.");

    /// <summary>Opens all of it; false when it is larger than the cap.</summary>
    /// <exception cref="InvalidDataException">Malformed.</exception>
    /// <exception cref="UnsupportedCompressionException">No decoder for it.</exception>
    public static bool TryOpen(Compression compression, ReadOnlyMemory<byte> records, int cap, out ReadOnlyMemory<byte> opened)
    {
        opened = records;
        if (compression == Compression.None) return true;
        using var unpacker = Unpacker.Of(compression, records);
        var output = new DecodedBytes(cap, (int)Math.Min(records.Length * 4L, cap));
        try
        {
            while (unpacker.Step(output)) { }
        }
        catch (InvalidDataException) when (output.IsFull)
        {
            return false;
        }
        opened = output.Written;
        return true;
    }

    /// <summary>
    /// Opens the records as a stream into a walk. Keeps no more than <see cref="Memory"/> of it, unless the batch itself refers further back (Zstandard
    /// with large windows can): then it is opened anew with a window of 8 MiB.
    /// </summary>
    /// <exception cref="InvalidDataException">Malformed, or larger than the cap.</exception>
    /// <exception cref="WindowException">It refers back further than the largest window.</exception>
    /// <exception cref="RecordFormatException">The walk does not like what it sees.</exception>
    public static void Walk(Compression compression, ReadOnlyMemory<byte> records, RecordWalk walk, int cap)
    {
        var window = FirstWindow(compression, records.Length);
        try
        {
            WalkOnce(compression, records, walk, cap, window);
        }
        catch (WindowException) when (window < LargestWindow)
        {
            walk.Restart();
            WalkOnce(compression, records, walk, cap, LargestWindow);
        }
    }

    /// <summary>How far back it is kept at first; the buffer is up to twice as large.</summary>
    public static int FirstWindow(Compression compression, int packed) => compression switch
    {
        Compression.Gzip => 0, // its decoder keeps its own
        Compression.Zstd => (int)Math.Min(Memory(packed), 2 * LargestWindow) / 2,
        _ => Window,
    };

    /// <summary>The window to try when the first is too small; null when it was the largest.</summary>
    public static int? NextWindow(int window) => window < LargestWindow ? LargestWindow : null;

    static void WalkOnce(Compression compression, ReadOnlyMemory<byte> records, RecordWalk walk, int cap, int window)
    {
        using var unpacker = Unpacker.Of(compression, records);
        using var output = new DecodedBytes(walk, cap, window);
        while (unpacker.Step(output)) { }
        output.Finish();
        walk.End();
    }
}
