using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Consumer groups by both protocols and their offsets: what Apache Kafka answers is what we answer.</summary>
public sealed partial class GroupDialogueTests(GroupDialogueTests.PromptKafka kafka) : IClassFixture<GroupDialogueTests.PromptKafka>
{
    /// <summary>Shares partitions out within the heartbeat that asks for it, as ours does, not at most once a second and beside it; sessions may be as short.</summary>
    public sealed class PromptKafka : KafkaNode
    {
        protected override IReadOnlyList<string> Settings => ["group.consumer.assignment.interval.ms=0", "group.consumer.assignor.offload.enable=false", "group.consumer.min.session.timeout.ms=6000"];
    }

    /// <summary>A topic "t" of two partitions; the groups' own topics of that Kafka, made when they are first needed, are there.</summary>
    async Task<Dialogue> BeginAsync(TestBroker broker)
    {
        var d = Dialogue.Between(broker, kafka);
        await d.WithBothAsync(async side =>
        {
            var client = await side.ReadyAsync("waiting");
            await UntilAsync(side, "coordinates groups", async () =>
            {
                var found = await client.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { KeyType = 0, CoordinatorKeys = ["g"] }, 4);
                var also = await client.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { KeyType = 1, CoordinatorKeys = ["x"] }, 4);
                var groups = await client.CallAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new() { Groups = [.. Enumerable.Range(0, 60).Select(i => $"none.{i}")] }, 5);
                return found.Coordinators[0].ErrorCode + also.Coordinators[0].ErrorCode == 0 && groups.Groups.TrueForAll(g => g.ErrorCode == 0);
            });
            await MakeAsync(side, "t", 2);
            // Those of the dialogues before: all of them share that Kafka, and some group names. The empty one is not always listed.
            var before = await client.CallAsync<ListGroupsRequest, ListGroupsResponse>(new(), 4);
            await client.CallAsync<DeleteGroupsRequest, DeleteGroupsResponse>(new() { GroupsNames = [.. before.Groups.Select(g => g.GroupId).Append("").Distinct()] }, 2);
        });
        return d;
    }

    /// <summary>Makes a topic, and waits until groups know it: they hear of it after the others do.</summary>
    static async Task MakeAsync(Dialogue.Side side, string topic, int partitions)
    {
        var client = await side.ReadyAsync("waiting");
        await client.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(new() { TimeoutMs = 5000, Topics = [new() { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 }] }, 5);
        var (group, epoch) = ($"waiting.{Guid.NewGuid()}", 0);
        await UntilAsync(side, $"knows the topic {topic}", async () =>
        {
            var beat = await client.CallAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(
                new() { GroupId = group, MemberId = "waiting", MemberEpoch = epoch, RebalanceTimeoutMs = 5000, SubscribedTopicNames = [topic], TopicPartitions = [] }, 1);
            epoch = beat.MemberEpoch;
            return beat.Assignment is { TopicPartitions: [{ TopicId: var id }] } && side.Known.TryAdd("topic " + topic, id);
        });
        await client.CallAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(new() { GroupId = group, MemberId = "waiting", MemberEpoch = -1 }, 1);
    }

    static Task UntilAsync(Dialogue.Side side, string what, Func<Task<bool>> holds) => Dialogue.UntilAsync(side, async () => await holds() ? null : $"not that it {what}");

    [Fact]
    public async Task Coordinators_are_found_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        foreach (var type in new sbyte[] { 0, 1, 2, 3, 7, -1 })
        {
            foreach (var key in new[] { "g", "", new string('g', 300) })
            {
                await d.AskAllAsync<FindCoordinatorRequest, FindCoordinatorResponse>((_, _) => new() { KeyType = type, Key = key }, to: 3);
                await d.AskAllAsync<FindCoordinatorRequest, FindCoordinatorResponse>((_, _) => new() { KeyType = type, CoordinatorKeys = [key, "h", key] }, from: 4);
            }
            await d.AskAllAsync<FindCoordinatorRequest, FindCoordinatorResponse>((_, _) => new() { KeyType = type, CoordinatorKeys = [] }, from: 4);
        }
        d.Judge();
    }

    [Fact]
    public async Task Groups_are_described_listed_and_deleted_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        GroupTalk stable = new(d, "admin.stable"), empty = new(d, "admin.empty"), offsets = new(d, "admin.offsets"), modern = new(d, "admin.modern"), done = new(d, "admin.done"), other = new(d, "admin.other");
        await stable.JoinAsync(9, "a");
        await stable.JoinAsync(9, "a");
        await stable.SyncAsync(5, "a", assigned: [("a", [1, 2, 3])]);
        await empty.JoinAsync(3, "b");
        await empty.LeaveAsync(5, "b");
        await offsets.CommitAsync(9);
        await new GroupTalk(d, "").CommitAsync(9);
        await modern.EnterAsync(1, "?c");
        await done.EnterAsync(1, "?d");
        await done.FollowAsync(1, "?d", (_, r) => r.MemberEpoch = -1);
        await other.JoinAsync(3, "e", type: "connect", protocols: [("sessioned", [1])]);
        await other.UntilAsync("CompletingRebalance");
        string[] names = ["admin.stable", "admin.empty", "admin.offsets", "admin.modern", "admin.done", "admin.other", "admin.none", ""];
        foreach (var name in names)
        {
            foreach (var operations in new[] { false, true })
            {
                await d.AskAllAsync<DescribeGroupsRequest, DescribeGroupsResponse>((_, _) => new() { Groups = [name], IncludeAuthorizedOperations = operations });
                await d.AskAllAsync<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>((_, _) => new() { GroupIds = [name], IncludeAuthorizedOperations = operations }, sorted: true);
            }
        }
        await d.AskAllAsync<DescribeGroupsRequest, DescribeGroupsResponse>((_, _) => new() { Groups = [.. names] }, sorted: true);
        await d.AskAllAsync<DescribeGroupsRequest, DescribeGroupsResponse>((_, _) => new() { Groups = [] });
        await d.AskAllAsync<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>((_, _) => new() { GroupIds = [.. names] }, sorted: true);
        await d.AskAllAsync<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>((_, _) => new() { GroupIds = [] });
        async Task List(short from, List<string> states, List<string> types)
        {
            for (var v = from; v <= 5; v++) // the node is shared with the other tests
                await d.AskAsync<ListGroupsRequest, ListGroupsResponse>(_ => new() { StatesFilter = states, TypesFilter = types }, v, (_, r) => r.Groups.RemoveAll(g => !g.GroupId.StartsWith("admin.", StringComparison.Ordinal)), sorted: true);
        }
        await List(0, [], []);
        foreach (var state in new[] { "Stable", "stable", "EMPTY", "PreparingRebalance", "preparing-rebalance", "CompletingRebalance", "Dead", "Assigning", "Reconciling", "NotReady", "Sleeping", "" }) await List(4, [state], []);
        await List(4, ["Stable", "Empty", "Sleeping"], []);
        foreach (var type in new[] { "classic", "Classic", "consumer", "CONSUMER", "share", "streams", "unknown", "modern", "" }) await List(5, [], [type]);
        await List(5, ["Empty"], ["classic"]);
        await List(5, ["stable"], ["consumer", "modern"]);
        foreach (var name in names.Append("admin.empty"))
            await d.AskAsync<DeleteGroupsRequest, DeleteGroupsResponse>(_ => new() { GroupsNames = [name] }, 2);
        await offsets.CommitAsync(9);
        await d.AskAllAsync<DeleteGroupsRequest, DeleteGroupsResponse>((_, _) => new() { GroupsNames = [.. names] }, sorted: true);
        await offsets.CommitAsync(9);
        await d.AskAllAsync<DeleteGroupsRequest, DeleteGroupsResponse>((_, _) => new() { GroupsNames = ["admin.offsets", "admin.none", "admin.offsets"] }, sorted: true);
        await d.AskAllAsync<DeleteGroupsRequest, DeleteGroupsResponse>((_, _) => new() { GroupsNames = [] });
        await List(0, [], []);
        d.Judge();
    }
}
