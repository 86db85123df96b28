using System.Buffers;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace IotGateway.Log.Records;

/// <summary>Opens a batch's records. What comes out is bounded by the caller's cap, checked as it grows. Stateless.</summary>
static class Decompressor
{
    const int Window = 64 << 10; // LZ4's largest distance; Snappy's and gzip's are smaller as all known encoders write them
    const int LeastMemory = 1 << 20, MemoryPerByte = 16, LargestWindow = 8 << 20; // RFC 8878 §3.1.1.1.2: what a decoder should support

    /// <exception cref="InvalidDataException">Malformed, or larger than the cap.</exception>
    /// <exception cref="UnsupportedCompressionException">No decoder for it.</exception>
    public static ReadOnlyMemory<byte> Open(Compression compression, ReadOnlyMemory<byte> records, int cap)
    {
        if (compression == Compression.None) return records;
        if (compression == Compression.Gzip) return Gzip(records, cap);
        var output = new DecodedBytes(cap, (int)Math.Min(records.Length * 4L, cap));
        Decode(compression, records.Span, output);
        return output.Written;
    }

    /// <summary>
    /// Opens the records as a stream into a walk. Keeps no more than max(1 MiB, 16 × input) of it, unless the batch itself refers further back (Zstandard
    /// with large windows can): then it is opened anew with a window of 8 MiB.
    /// </summary>
    /// <exception cref="InvalidDataException">Malformed, or larger than the cap.</exception>
    /// <exception cref="WindowException">It refers back further than the largest window.</exception>
    /// <exception cref="RecordFormatException">The walk does not like what it sees.</exception>
    public static void Walk(Compression compression, ReadOnlyMemory<byte> records, RecordWalk walk, int cap)
    {
        if (compression == Compression.Gzip)
        {
            WalkGzip(records, walk, cap);
            return;
        }
        // The buffer is up to twice the window.
        var window = compression == Compression.Zstd ? (int)Math.Clamp(records.Length * (long)MemoryPerByte, LeastMemory, 2 * LargestWindow) / 2 : Window;
        try
        {
            WalkOnce(compression, records.Span, walk, cap, window);
        }
        catch (WindowException) when (window < LargestWindow)
        {
            walk.Restart();
            WalkOnce(compression, records.Span, walk, cap, LargestWindow);
        }
    }

    static void WalkOnce(Compression compression, ReadOnlySpan<byte> records, RecordWalk walk, int cap, int window)
    {
        using var output = new DecodedBytes(walk, cap, window);
        Decode(compression, records, output);
        output.Finish();
        walk.End();
    }

    static void Decode(Compression compression, ReadOnlySpan<byte> records, DecodedBytes output)
    {
        switch (compression)
        {
            case Compression.Snappy:
                Snappy.Decode(records, output);
                break;
            case Compression.Lz4:
                Lz4.Decode(records, output);
                break;
            case Compression.Zstd:
                Zstandard.ZstdFrame.Decode(records, output);
                break;
            default:
                throw new UnsupportedCompressionException(compression);
        }
    }

    static ReadOnlyMemory<byte> Gzip(ReadOnlyMemory<byte> records, int cap)
    {
        using var gzip = OpenGzip(records);
        var output = new byte[Math.Min(cap, Math.Max(4096, records.Length * 4))];
        var length = 0;
        for (int got; (got = gzip.Read(output, length, output.Length - length)) > 0;)
        {
            length += got;
            if (length < output.Length) continue;
            if (length >= cap && gzip.ReadByte() < 0) break;
            if (length >= cap) throw new InvalidDataException($"A compressed batch opens to more than {cap} bytes.");
            Array.Resize(ref output, (int)Math.Min(cap, output.Length * 2L));
        }
        return output.AsMemory(0, length);
    }

    static void WalkGzip(ReadOnlyMemory<byte> records, RecordWalk walk, int cap)
    {
        using var gzip = OpenGzip(records);
        var piece = ArrayPool<byte>.Shared.Rent(Window);
        try
        {
            long length = 0;
            for (int got; (got = gzip.Read(piece)) > 0;)
            {
                if ((length += got) > cap) throw new InvalidDataException($"A compressed batch opens to more than {cap} bytes.");
                walk.Take(piece.AsSpan(0, got));
            }
            walk.End();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    static GZipStream OpenGzip(ReadOnlyMemory<byte> records)
    {
        var bytes = MemoryMarshal.TryGetArray(records, out var segment) ? segment : new(records.ToArray());
        return new(new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false), CompressionMode.Decompress);
    }
}
