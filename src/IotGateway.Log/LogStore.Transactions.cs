using IotGateway.Log.Transactions;

namespace IotGateway.Log;

/// <content>What the committer knows of producers and their open transactions; their ends are in <see cref="LogUnit.EndTransaction"/>.</content>
public sealed partial class LogStore
{
    /// <summary>Every open transaction of every partition, behind all units taken so far.</summary>
    public async ValueTask<IReadOnlyList<(Partition Partition, OpenTransaction Transaction)>> OpenTransactionsAsync(CancellationToken ct)
        => await DoAsync(0, (committer, _) => committer.Topics.Known.Where(t => !t.Closing).SelectMany(t => t.Committed)
            .SelectMany(p => p.Tail.Producers.Snapshot().Where(s => s.OpenSince >= 0).Select(s => (p, new OpenTransaction(s.ProducerId, s.Epoch, s.OpenSince)))).ToList(), ct)
            .ConfigureAwait(false);

    internal string? OriginOf(Partition partition, long offset) => _tables.Origins.Find(partition.Topic.Id, partition.Index, offset);

    internal async ValueTask<IReadOnlyList<ProducerSnapshot>> ProducersAsync(Partition partition, CancellationToken ct)
        => await DoAsync(0, (_, _) => partition.Tail.Producers.Snapshot(), ct).ConfigureAwait(false);
}
