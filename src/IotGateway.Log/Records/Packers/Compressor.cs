using System.IO.Compression;
using IotGateway.Log.Bytes;
using IotGateway.Log.Records.Zstandard;

namespace IotGateway.Log.Records.Packers;

/// <summary>Packs a batch's records. Stateless.</summary>
static class Compressor
{
    /// <param name="packing">How.</param>
    /// <param name="records">The records, uncompressed.</param>
    /// <param name="output">Where to; what is there stays.</param>
    public static void Pack(Packing packing, ReadOnlyMemory<byte> records, ByteWriter output)
    {
        switch (packing.Compression)
        {
            case Compression.None:
                output.Raw(records.Span);
                break;
            case Compression.Gzip:
                Gzip(records.Span, packing.Level, output);
                break;
            case Compression.Snappy:
                SnappyEncoder.Encode(records.Span, output);
                break;
            case Compression.Lz4:
                Lz4Encoder.Encode(records.Span, packing.Level, output);
                break;
            case Compression.Zstd:
                ZstdEncoder.Encode(records.Span, packing.Level, output);
                break;
            default:
                throw new UnsupportedCompressionException(packing.Compression);
        }
    }

    static void Gzip(ReadOnlySpan<byte> records, int level, ByteWriter output)
    {
        using var packed = new MemoryStream(records.Length / 4 + 64);
        using (var gzip = new GZipStream(packed, new ZLibCompressionOptions { CompressionLevel = level }, leaveOpen: true)) gzip.Write(records);
        output.Raw(packed.GetBuffer().AsSpan(0, (int)packed.Length));
    }
}
