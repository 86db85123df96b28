using IotGateway.Broker.Groups.Offsets;

namespace IotGateway.Broker.Transactions;

/// <summary>An offset that becomes its group's when the transaction commits.</summary>
internal sealed record PendingOffset(string Group, string Topic, int Partition, CommittedOffset Offset);
