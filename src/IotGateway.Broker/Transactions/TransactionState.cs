namespace IotGateway.Broker.Transactions;

/// <summary>The names are Kafka's, as DescribeTransactions and ListTransactions show them. An end is one step here: there is nothing prepared.</summary>
internal enum TransactionState : byte
{
    Empty = 0,
    Ongoing = 1,
    CompleteCommit = 4,
    CompleteAbort = 5,
}
