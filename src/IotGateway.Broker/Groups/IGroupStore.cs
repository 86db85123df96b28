namespace IotGateway.Broker.Groups;

/// <summary>Sets (or with null deletes) an entry of a durable table.</summary>
internal readonly record struct TableWrite(string Table, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value);

/// <summary>Where groups are kept: durable tables of the log in the broker, memory in tests. Thread-safe.</summary>
internal interface IGroupStore
{
    /// <summary>A snapshot of a table's entries.</summary>
    IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table);

    /// <summary>Makes all of the writes durable in one atomic step; throws when it could not, and then nothing was written.</summary>
    ValueTask CommitAsync(IReadOnlyList<TableWrite> writes, CancellationToken ct);
}
