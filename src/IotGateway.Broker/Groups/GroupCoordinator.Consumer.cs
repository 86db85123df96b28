using IotGateway.Broker.Groups.Classic;
using IotGateway.Broker.Groups.Consumer;
using IotGateway.Broker.Groups.Core;
using IotGateway.Broker.Groups.Storage;

namespace IotGateway.Broker.Groups;

/// <summary>The consumer protocol (KIP-848).</summary>
internal sealed partial class GroupCoordinator
{
    /// <summary>The whole life of a KIP-848 member. Completes when what it says is durable.</summary>
    public Task<ConsumerHeartbeatResult> ConsumerHeartbeatAsync(ConsumerHeartbeatCall call)
    {
        if (stopped) return Task.FromResult(new ConsumerHeartbeatResult { Error = GroupError.CoordinatorNotAvailable });
        if (ConsumerGroup.Check(call) is { } refusal) return Task.FromResult(refusal);
        var answer = Answer<ConsumerHeartbeatResult>();
        var snapshot = snapshots.Current;
        if (call.MemberEpoch == 0) groups.Enter(call.GroupId, Step);
        else if (!groups.TryEnter(call.GroupId, Step, out _)) answer.TrySetResult(NotFound(call.GroupId));
        return answer.Task;

        bool Step(Group group)
        {
            if (group.Deleting) answer.TrySetResult(new() { Error = GroupError.CoordinatorLoadInProgress });
            else if (Consumer(group, make: call.MemberEpoch == 0, snapshot) is { } consumer) consumer.Heartbeat(call, snapshot, answer);
            else answer.TrySetResult(new() { Error = GroupError.GroupIdNotFound, ErrorMessage = NotConsumer(call.GroupId) });
            return true;
        }

        static ConsumerHeartbeatResult NotFound(string id) => new() { Error = GroupError.GroupIdNotFound, ErrorMessage = $"Group {id} not found." };
    }

    /// <summary>Describes consumer groups; GROUP_ID_NOT_FOUND for classic ones.</summary>
    public IReadOnlyList<DescribedConsumerGroup> DescribeConsumers(IReadOnlyList<string> groupIds) => [.. groupIds.Select(id =>
    {
        if (Refusal(id) is var refusal and not GroupError.None) return new DescribedConsumerGroup { GroupId = id, Error = refusal };
        var message = $"Group {id} not found.";
        DescribedConsumerGroup? described = null;
        groups.TryEnter(id, group =>
        {
            group.CatchUp();
            if (group.Members is ConsumerGroup consumer) described = consumer.Describe(snapshots.Current);
            else message = NotConsumer(id);
            return true;
        }, out _);
        return described ?? new() { GroupId = id, Error = GroupError.GroupIdNotFound, ErrorMessage = message };
    })];

    static string NotConsumer(string id) => $"Group {id} is not a consumer group.";

    /// <summary>
    /// The group's members by this protocol. A classic group becomes one for the first to join: its offsets stay, and so do its members, if they
    /// are Kafka's consumers.
    /// </summary>
    static ConsumerGroup? Consumer(Group group, bool make, TopicSnapshot snapshot)
    {
        if (group.Members is ConsumerGroup there) return there;
        if (!make) return null;
        ConsumerGroup consumer = new(group);
        if (group.Members is ClassicGroup { IsEmpty: false } classic)
        {
            if (!consumer.TakeOver(classic, snapshot)) return null;
            classic.HandOver();
        }
        group.Replace(consumer);
        return consumer;
    }

    void LoadConsumers(IGroupStore store)
    {
        foreach (var (key, value) in store.Scan(GroupTables.Consumer))
        {
            using var reader = GroupTables.Reader(key);
            loop.Enter(groups.GetOrAdd(reader.ReadString()), group =>
            {
                ConsumerGroup consumer = new(group);
                consumer.Load(value);
                group.Members = consumer;
            });
        }
        foreach (var (key, value) in store.Scan(GroupTables.ConsumerMembers))
        {
            using var reader = GroupTables.Reader(key);
            if (!groups.TryGet(reader.ReadString(), out var group)) continue;
            var member = ConsumerRecord.ReadMember(reader.ReadString(), value);
            loop.Enter(group, g => (g.Members as ConsumerGroup)?.Load(member));
        }
    }
}
