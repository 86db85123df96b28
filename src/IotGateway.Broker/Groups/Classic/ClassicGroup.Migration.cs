namespace IotGateway.Broker.Groups.Classic;

/// <summary>
/// Between the protocols while the group is in use (KIP-848, "Migration"; what Kafka does under <c>group.consumer.migration.policy=bidirectional</c>).
/// </summary>
internal sealed partial class ClassicGroup
{
    public int Generation => generation;

    public IReadOnlyCollection<ClassicMember> Members => members.Values;

    /// <summary>What the member said of itself to the assignor the group uses; of its first choice as long as there is none.</summary>
    public ConsumerSubscription? SubscriptionOf(ClassicMember member)
        => ConsumerSubscription.Read(protocol is null ? member.Protocols[0].Metadata : member.MetadataFor(protocol));

    /// <summary>Who waits is sent to join again, to find the consumer group that takes over.</summary>
    public void HandOver() => AnswerAll(GroupError.RebalanceInProgress);

    /// <summary>Takes over from a consumer group whose members all speak the classic protocol. They share out their partitions anew.</summary>
    public void TakeOver(int epoch, IEnumerable<ClassicMember> heirs)
    {
        (generation, protocolType) = (epoch, ConsumerProtocolType);
        foreach (var member in heirs) Add(member);
        protocol = ElectProtocol();
        Subscribe();
        Become(ClassicState.Stable);
        foreach (var member in members.Values) KeepAlive(member);
        Prepare();
        Save(durable => SavedGeneration(durable, epoch));
    }
}
