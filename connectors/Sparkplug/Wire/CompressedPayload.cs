using System.Buffers.Binary;
using System.IO.Compression;

namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>
/// A payload within a payload, as Eclipse Tahu's libraries compress it; the specification has no such thing. The algorithm is a metric of the outer one, DEFLATE (with zlib's
/// frame, RFC 1950) or GZIP. Opened within a bound, whatever it claims. Pure, thread-safe.
/// </summary>
static class CompressedPayload
{
    /// <summary>What one may open to.</summary>
    public const int Largest = 16 << 20;

    const string Mark = "SPBV1.0_COMPRESSED";
    const string Algorithm = "algorithm"; // the metric's name
    const int Piece = 16 << 10;

    /// <summary>Whether a payload is the cover of a compressed one.</summary>
    public static bool Is(Payload payload) => payload.Uuid == Mark;

    /// <summary>The bytes within.</summary>
    /// <exception cref="PayloadException">An unknown algorithm, damaged bytes, or too much.</exception>
    public static ReadOnlyMemory<byte> Open(Payload cover)
    {
        if (!cover.HasBody) throw new PayloadException("The compressed payload has no body.");
        var zlib = AlgorithmOf(cover) switch
        {
            "DEFLATE" => true,
            "GZIP" => false,
            _ => throw new PayloadException("The payload is compressed by an algorithm other than DEFLATE and GZIP."),
        };
        using var packed = new MemoryStream(cover.Body.ToByteArray(), writable: false);
        using Stream opening = zlib ? new ZLibStream(packed, CompressionMode.Decompress) : new GZipStream(packed, CompressionMode.Decompress);
        var opened = new MemoryStream();
        var piece = new byte[Piece];
        try
        {
            while (opening.Read(piece) is > 0 and var read)
            {
                if (opened.Length + read > Largest) throw new PayloadException($"The compressed payload opens to more than {Largest >> 20} MiB.");
                opened.Write(piece, 0, read);
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            // IOException: what asks for a dictionary agreed on beforehand (RFC 1950 §2.2, FDICT), which there is none of (found by fuzzing).
            throw new PayloadException("The compressed payload is damaged.", e);
        }
        var bytes = opened.GetBuffer().AsMemory(0, (int)opened.Length);
        if (!IsWhole(bytes.Span, cover.Body.Span, zlib)) throw new PayloadException("The compressed payload is cut short.");
        return bytes;
    }

    // .NET takes the end of the bytes for the end of the stream, wherever it is; only the trailer shows that nothing is missing.
    static bool IsWhole(ReadOnlySpan<byte> opened, ReadOnlySpan<byte> packed, bool zlib)
        => packed.Length > 4 && (zlib
            ? BinaryPrimitives.ReadUInt32BigEndian(packed[^4..]) == Adler32(opened) // RFC 1950 §2.2
            : BinaryPrimitives.ReadUInt32LittleEndian(packed[^4..]) == (uint)opened.Length); // RFC 1952 §2.3.1, ISIZE

    static uint Adler32(ReadOnlySpan<byte> bytes)
    {
        uint a = 1, b = 0;
        foreach (var x in bytes)
        {
            a = (a + x) % 65_521;
            b = (b + a) % 65_521;
        }
        return b << 16 | a;
    }

    static string AlgorithmOf(Payload cover)
    {
        foreach (var metric in cover.Metrics)
            if (metric.Name == Algorithm) return metric.StringValue.ToUpperInvariant();
        return "DEFLATE"; // what Tahu takes when nothing is said
    }
}
