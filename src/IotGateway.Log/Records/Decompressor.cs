using System.IO.Compression;
using System.Runtime.InteropServices;

namespace IotGateway.Log.Records;

/// <summary>Opens a batch's records. What comes out is bounded by the caller's cap, checked as it grows. Stateless.</summary>
static class Decompressor
{
    /// <exception cref="InvalidDataException">Malformed, or larger than the cap.</exception>
    /// <exception cref="UnsupportedCompressionException">No decoder for it.</exception>
    public static ReadOnlyMemory<byte> Open(Compression compression, ReadOnlyMemory<byte> records, int cap) => compression switch
    {
        Compression.None => records,
        Compression.Gzip => Gzip(records, cap),
        Compression.Snappy => Snappy.Decode(records.Span, cap),
        Compression.Lz4 => Lz4.Decode(records.Span, cap),
        Compression.Zstd => Zstandard.ZstdFrame.Decode(records.Span, cap),
        _ => throw new UnsupportedCompressionException(compression),
    };

    static ReadOnlyMemory<byte> Gzip(ReadOnlyMemory<byte> records, int cap)
    {
        var bytes = MemoryMarshal.TryGetArray(records, out var segment) ? segment : new(records.ToArray());
        using var source = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false);
        using var gzip = new GZipStream(source, CompressionMode.Decompress);
        var output = new byte[Math.Min(cap, Math.Max(4096, records.Length * 4))];
        var length = 0;
        for (int got; (got = gzip.Read(output, length, output.Length - length)) > 0;)
        {
            length += got;
            if (length < output.Length) continue;
            if (length >= cap) throw new InvalidDataException($"A compressed batch opens to more than {cap} bytes.");
            Array.Resize(ref output, (int)Math.Min(cap, output.Length * 2L));
        }
        return output.AsMemory(0, length);
    }
}
