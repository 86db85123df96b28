namespace IotGateway.Sdk.Data;

/// <summary>An opaque record for the log: key, value and headers as bytes.</summary>
public sealed record Record
{
    /// <summary>Topic as expanded from the template; the runtime replaces what Kafka forbids, and dead-letters what is no name at all.</summary>
    public required string Topic { get; init; }

    /// <summary>Key; null for none.</summary>
    public ReadOnlyMemory<byte>? Key { get; init; }

    /// <summary>Value; null is a tombstone.</summary>
    public ReadOnlyMemory<byte>? Value { get; init; }

    /// <summary>Headers, in order.</summary>
    public IReadOnlyList<Header> Headers { get; init; } = [];

    /// <summary>The source's time, UTC; <see cref="DateTime.MinValue"/> when it gives none.</summary>
    public DateTime SourceTime { get; init; }

    /// <summary>Why this record can not be used as intended: non-null sends it to the dead letters instead, with this reason.</summary>
    public string? Poison { get; init; }
}

/// <summary>A record header.</summary>
public readonly record struct Header(string Name, ReadOnlyMemory<byte>? Value);
