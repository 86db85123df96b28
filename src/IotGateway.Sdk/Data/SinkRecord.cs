namespace IotGateway.Sdk.Data;

/// <summary>A record of the log on its way out.</summary>
/// <remarks>The memory of key, value and header values is lent until the record is settled (<see cref="ISink.WriteAsync"/>).</remarks>
public sealed record SinkRecord
{
    /// <summary>Local topic.</summary>
    public required string Topic { get; init; }

    /// <summary>Local partition.</summary>
    public required int Partition { get; init; }

    /// <summary>How many partitions the local topic has; 0 when not known.</summary>
    public int Partitions { get; init; }

    /// <summary>Local offset.</summary>
    public required long Offset { get; init; }

    /// <summary>Record timestamp, milliseconds since 1970 UTC; -1 for none.</summary>
    public required long Timestamp { get; init; }

    /// <summary>Key; null for none.</summary>
    public ReadOnlyMemory<byte>? Key { get; init; }

    /// <summary>Value; null is a tombstone.</summary>
    public ReadOnlyMemory<byte>? Value { get; init; }

    /// <summary>Headers, in order.</summary>
    public IReadOnlyList<Header> Headers { get; init; } = [];
}
