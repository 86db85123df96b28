namespace IotGateway.Log.Transactions;

/// <summary>A transaction that has records in a partition and is not decided.</summary>
public readonly record struct OpenTransaction(long ProducerId, short ProducerEpoch, long FirstOffset);
