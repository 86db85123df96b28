namespace IotGateway.Log.Records;

/// <summary>One record as read; its memory is that of the batch (or of its decompressed copy) and lives as long as it.</summary>
/// <param name="Offset">Offset.</param>
/// <param name="Timestamp">Milliseconds since 1970.</param>
/// <param name="Key">Key; null when there is none.</param>
/// <param name="Value">Value; null for a tombstone.</param>
/// <param name="Headers">Headers.</param>
public readonly record struct Record(
    long Offset, long Timestamp, ReadOnlyMemory<byte>? Key, ReadOnlyMemory<byte>? Value, RecordHeaders Headers);
