using IotGateway.Broker.Groups.Offsets;

namespace IotGateway.Broker.Transactions;

/// <summary>An offset that becomes its group's when the transaction commits.</summary>
internal sealed record PendingOffset(string Group, string Topic, int Partition, CommittedOffset Offset)
{
    const long Never = -1;

    /// <summary>A later one has become its group's: this one will not.</summary>
    public bool IsOverruled => Offset.CommittedAt == Never;

    public PendingOffset Overruled() => this with { Offset = Offset with { CommittedAt = Never } };

    /// <summary>Has its group's offset unsettled from now on.</summary>
    public void Join(PendingOffsets pending) => pending.Add(Group, Topic, Partition, Offset.TopicId);

    /// <summary>Its group has the new one, or never will.</summary>
    public void Leave(PendingOffsets pending) => pending.Remove(Group, Topic, Partition, Offset.TopicId);
}
