using IotGateway.Broker.Groups;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>Keeps groups in tables of the log. Thread-safe.</summary>
internal sealed class LogGroupStore(LogStore log) : IGroupStore
{
    public IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table) => log.Scan(table);

    public async ValueTask CommitAsync(IReadOnlyList<TableWrite> writes, CancellationToken ct)
    {
        var unit = new LogUnit();
        foreach (var write in writes) unit.Put(write.Table, write.Key, write.Value);
        await log.CommitAsync(unit, ct);
    }
}
