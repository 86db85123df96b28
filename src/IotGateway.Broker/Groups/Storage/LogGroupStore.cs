using IotGateway.Log;

namespace IotGateway.Broker.Groups.Storage;

/// <summary>Groups in the log's durable tables: a write is one frame of the write-ahead log. Thread-safe.</summary>
internal sealed class LogGroupStore(LogStore log) : IGroupStore
{
    public IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table) => log.Scan(table);

    public async ValueTask CommitAsync(IReadOnlyList<TableWrite> writes, CancellationToken ct)
    {
        LogUnit unit = new();
        foreach (var write in writes) unit.Put(write.Table, write.Key, write.Value);
        await log.CommitAsync(unit, ct).ConfigureAwait(false);
    }
}
