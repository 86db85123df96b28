namespace IotGateway.Log.Transactions;

/// <summary>What a partition knows of an idempotent or transactional producer.</summary>
/// <param name="ProducerId">Its id.</param>
/// <param name="Epoch">Its epoch.</param>
/// <param name="LastSequence">Sequence of its last record; -1 when there is none in this epoch.</param>
/// <param name="LastTime">When it last wrote, by the log's clock (ms).</param>
/// <param name="CoordinatorEpoch">That of its last marker; -1 when it had none.</param>
/// <param name="OpenSince">First offset of its open transaction; -1 when there is none.</param>
public readonly record struct ProducerSnapshot(long ProducerId, short Epoch, int LastSequence, long LastTime, int CoordinatorEpoch, long OpenSince);
