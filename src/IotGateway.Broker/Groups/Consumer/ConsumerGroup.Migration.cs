using IotGateway.Broker.Groups.Classic;
using IotGateway.Broker.Groups.Core;

namespace IotGateway.Broker.Groups.Consumer;

/// <summary>
/// Between the protocols while the group is in use (KIP-848, "Migration"): the first member by the consumer protocol turns a classic group into a
/// consumer group; when the last such member leaves, those that stay are a classic group again.
/// </summary>
internal sealed partial class ConsumerGroup
{
    /// <summary>A classic group has taken over: what is here counts no more.</summary>
    bool replaced;

    /// <summary>Takes over the members with what they have; false, and nothing done, when they are not Kafka's consumers.</summary>
    public bool TakeOver(ClassicGroup classic, TopicSnapshot snapshot)
    {
        if (classic.ProtocolType != ClassicGroup.ConsumerProtocolType || classic.Members.Count > Options.ConsumerMaxSize) return false;
        List<ConsumerMember> heirs = [];
        foreach (var member in classic.Members)
        {
            if (classic.SubscriptionOf(member) is not { } subscription) return false;
            // In the middle of a rebalance nobody is assigned anything, but who need not give up first still has what it said it had.
            var assigned = ConsumerAssignment.Read(member.Assignment);
            heirs.Add(new(member.Id)
            {
                InstanceId = member.InstanceId,
                RackId = subscription.Rack,
                ClientId = member.ClientId,
                ClientHost = member.ClientHost,
                RebalanceTimeoutMs = member.RebalanceTimeoutMs,
                TopicNames = [.. subscription.Topics.Distinct(StringComparer.Ordinal)],
                Epoch = classic.Generation,
                PreviousEpoch = classic.Generation,
                Assigned = Identified(assigned.Count > 0 ? assigned : subscription.Owned, snapshot)
                    .Except(heirs.SelectMany(other => other.Assigned.Keys)).ToDictionary(item => item, _ => classic.Generation),
                Classic = new(member.SessionTimeoutMs, member.Protocols),
            });
        }
        (groupEpoch, targetEpoch, headerDirty) = (classic.Generation, classic.Generation, true);
        foreach (var heir in heirs)
        {
            heir.Target = [.. heir.Assigned.Keys];
            Add(heir);
            KeepAlive(heir);
        }
        return true;
    }

    /// <summary>True: only members by the classic protocol were left, and a classic group has taken over.</summary>
    bool TryHandOver()
    {
        if (IsEmpty || members.Values.Any(member => member.Classic is null)) return false;
        replaced = true;
        ClassicGroup classic = new(group);
        group.Replace(classic);
        classic.TakeOver(groupEpoch, members.Values.Select(member => new ClassicMember(member.Id, member.InstanceId)
        {
            ClientId = member.ClientId,
            ClientHost = member.ClientHost,
            SessionTimeoutMs = member.Classic!.SessionTimeoutMs,
            RebalanceTimeoutMs = member.RebalanceTimeoutMs,
            Protocols = member.Classic.Protocols,
            Assignment = AssignmentOf(member),
        }));
        return true;
    }

    static IEnumerable<TopicPartition> Identified(IEnumerable<(string Topic, int Partition)> partitions, TopicSnapshot snapshot)
        => partitions.Select(item => (Topic: snapshot.Find(item.Topic), item.Partition))
            .Where(item => item.Topic is not null).Select(item => new TopicPartition(item.Topic!.Value.Id, item.Partition)).Distinct();

    byte[] AssignmentOf(ConsumerMember member)
    {
        var names = topics.Values.ToDictionary(topic => topic.Id, topic => topic.Name);
        var version = ConsumerSubscription.Read(member.Classic!.Protocols[0].Metadata)?.Version ?? 0;
        return ConsumerAssignment.Write(version, member.Assigned.Keys.Where(item => names.ContainsKey(item.TopicId)).Select(item => (names[item.TopicId], item.Partition)));
    }
}
