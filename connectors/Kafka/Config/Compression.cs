namespace IotGateway.Connectors.Kafka.Config;

/// <summary>How batches are compressed.</summary>
public enum Compression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Fast.</summary>
    Lz4,

    /// <summary>Small.</summary>
    Zstd,

    /// <summary>For old clusters.</summary>
    Snappy,

    /// <summary>For old clusters.</summary>
    Gzip,
}
