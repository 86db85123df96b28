namespace IotGateway.Log.Records;

/// <summary>A batch's compression: bits 0–2 of its attributes (KIP-98, KIP-110).</summary>
public enum Compression
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>gzip (RFC 1952).</summary>
    Gzip = 1,
    /// <summary>Snappy, in blocks (xerial) or raw.</summary>
    Snappy = 2,
    /// <summary>LZ4 frame.</summary>
    Lz4 = 3,
    /// <summary>Zstandard (RFC 8878).</summary>
    Zstd = 4,
}
