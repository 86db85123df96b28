using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Members by the consumer protocol (KIP-848).</summary>
public sealed partial class GroupDialogueTests
{
    [Fact]
    public async Task Consumers_join_follow_and_leave_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        for (short v = 0; v <= 1; v++)
        {
            var (me, group) = ($"?me{v}", new GroupTalk(d, $"modern.{v}"));
            if (v == 0) await group.EnterAsync(v, me = "me0"); // the broker makes the id
            else await group.EnterAsync(v, me);
            await group.DescribeConsumersAsync(v);
            await group.FollowAsync(v, me);
            await group.FollowAsync(v, me, (_, r) => r.TopicPartitions = []);
            await group.FollowAsync(v, me, (side, r) => r.TopicPartitions = [new() { TopicId = GroupTalk.Topic(side, "t"), Partitions = [0, 1] }]);
            await group.FollowAsync(v, me, (side, r) => (r.RebalanceTimeoutMs, r.SubscribedTopicNames, r.TopicPartitions) = (50_000, ["t"], [new() { TopicId = GroupTalk.Topic(side, "t"), Partitions = [0, 1] }]));
            await group.FollowAsync(v, me, (side, r) => r.TopicPartitions = [new() { TopicId = GroupTalk.Topic(side, "nowhere"), Partitions = [0, 1] }]);
            await group.FollowAsync(v, me, (_, r) => r.MemberEpoch += 1);
            await group.FollowAsync(v, me, (_, r) => r.MemberEpoch += 100);
            await group.FollowAsync(v, me, (side, r) => (r.MemberEpoch, r.TopicPartitions) = (r.MemberEpoch - 1, []));
            await group.FollowAsync(v, "?nobody", (_, r) => r.MemberEpoch = 1);
            await group.FollowAsync(v, "?nobody", (_, r) => r.MemberEpoch = -1);
            await group.FollowAsync(v, me, (_, r) => r.InstanceId = "unknown");
            await group.FollowAsync(v, me, (_, r) => r.SubscribedTopicNames = ["nowhere"]); // gives all up
            await group.FollowAsync(v, me, (_, r) => r.TopicPartitions = []);
            await group.DescribeConsumersAsync(v);
            await group.FollowAsync(v, me, (_, r) => r.SubscribedTopicNames = ["nowhere", "t", "t"]);
            await group.FollowAsync(v, me, (_, r) => r.SubscribedTopicNames = ["t", "nowhere"]); // the same
            await group.DescribeConsumersAsync(v);
            await group.FollowAsync(v, me, (_, r) => r.ServerAssignor = "range");
            await group.FollowAsync(v, me, (_, r) => r.ServerAssignor = "sticky");
            await group.FollowAsync(v, me, (_, r) => r.RackId = "north");
            await group.DescribeConsumersAsync(v);
            await group.EnterAsync(v, me); // again: it has nothing, and gets all
            await group.DescribeConsumersAsync(v, operations: true);
            await group.FollowAsync(v, me, (_, r) => r.MemberEpoch = -1);
            await group.FollowAsync(v, me);
            await group.FollowAsync(v, me, (_, r) => r.MemberEpoch = -1);
            await group.DescribeConsumersAsync(v);
            await group.EnterAsync(v, me);
            await group.DescribeConsumersAsync(v);
        }
        d.Judge();
    }

    [Fact]
    public async Task Heartbeats_are_refused_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        for (short v = 0; v <= 1; v++)
        {
            var (group, none) = (new GroupTalk(d, $"modern.refused.{v}"), new GroupTalk(d, ""));
            await none.EnterAsync(v, "?x");
            await group.FollowAsync(v, "?x", (_, r) => r.MemberEpoch = 1);
            await group.FollowAsync(v, "?x", (_, r) => r.MemberEpoch = -1);
            await group.FollowAsync(v, "?x", (_, r) => r.MemberEpoch = -2);
            await group.FollowAsync(v, "?x", (_, r) => (r.MemberEpoch, r.InstanceId) = (-2, "i"));
            await group.FollowAsync(v, "?x", (_, r) => r.MemberEpoch = -3);
            await group.FollowAsync(v, "nothing", (_, r) => r.MemberEpoch = 1);
            await group.FollowAsync(v, "nothing", (_, r) => r.MemberEpoch = -1);
            await group.FollowAsync(v, "nothing", (_, r) => (r.MemberEpoch, r.InstanceId) = (-2, "i"));
            if (v == 1) await group.EnterAsync(v, "nothing");
            await group.EnterAsync(v, "?x", (_, r) => r.InstanceId = "");
            await group.EnterAsync(v, "?x", (_, r) => r.RackId = "");
            await group.EnterAsync(v, "?x", (_, r) => r.RebalanceTimeoutMs = -1);
            await group.EnterAsync(v, "?x", (_, r) => r.TopicPartitions = null);
            await group.EnterAsync(v, "?x", (side, r) => r.TopicPartitions = [new() { TopicId = GroupTalk.Topic(side, "t"), Partitions = [0] }]);
            await group.EnterAsync(v, "?x", (side, r) => r.TopicPartitions = [new() { TopicId = GroupTalk.Topic(side, "t"), Partitions = [] }]);
            await group.EnterAsync(v, "?x", (_, r) => r.SubscribedTopicNames = null);
            await group.EnterAsync(v, "?x", (_, r) => r.ServerAssignor = "sticky");
            await group.EnterAsync(v, "?x", (_, r) => r.ServerAssignor = "");
            await group.DescribeConsumersAsync(v);
            await group.EnterAsync(v, $"?empty{v}", (_, r) => r.SubscribedTopicNames = []);
            await group.EnterAsync(v, $"?odd{v}", (_, r) => r.SubscribedTopicNames = ["white space", ""]);
            await group.EnterAsync(v, $"?zero{v}", (_, r) => r.RebalanceTimeoutMs = 0);
            await group.DescribeConsumersAsync(v);
        }
        var regex = new GroupTalk(d, "modern.regex.refused");
        foreach (var bad in new[] { "(", "[a", "a{3,1}", "*", @"\1", "(?=a)", "(?<name>a)", "a**", @"\p{Nothing}" })
        {
            await regex.EnterAsync(1, "?x", (_, r) => (r.SubscribedTopicNames, r.SubscribedTopicRegex) = (null, bad));
            await regex.FollowAsync(1, "?x", (_, r) => r.MemberEpoch = -1);
        }
        await regex.EnterAsync(1, "?empty", (_, r) => (r.SubscribedTopicNames, r.SubscribedTopicRegex) = (null, ""));
        await regex.DescribeConsumersAsync();
        d.Judge();
    }

    [Fact]
    public async Task Consumers_share_what_there_is_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        foreach (var assignor in new[] { "uniform", "range" })
        {
            var (a, b, group) = ($"?a.{assignor}", $"?b.{assignor}", new GroupTalk(d, $"modern.two.{assignor}"));
            ConsumerGroupHeartbeatRequest.TopicPartitionsData Has(Dialogue.Side side, params int[] partitions) => new() { TopicId = GroupTalk.Topic(side, "t"), Partitions = [.. partitions] };
            await group.EnterAsync(1, a, (_, r) => r.ServerAssignor = assignor);
            await group.FollowAsync(1, a, (side, r) => r.TopicPartitions = [Has(side, 0, 1)]);
            await group.EnterAsync(1, b);
            await group.DescribeConsumersAsync();
            await group.FollowAsync(1, b, (_, r) => r.TopicPartitions = []);
            await group.FollowAsync(1, a); // is told to give one up
            await group.DescribeConsumersAsync();
            await group.FollowAsync(1, b, (_, r) => r.TopicPartitions = []); // not yet free
            await group.FollowAsync(1, a);
            await group.FollowAsync(1, a, (side, r) => r.TopicPartitions = [Has(side, 0)]);
            await group.DescribeConsumersAsync();
            await group.FollowAsync(1, b, (_, r) => r.TopicPartitions = []);
            await group.FollowAsync(1, b, (side, r) => r.TopicPartitions = [Has(side, 1)]);
            await group.DescribeConsumersAsync();
            await group.CommitAsync(9, a, side => GroupTalk.Epoch(side, a));
            await group.CommitAsync(9, b, side => GroupTalk.Epoch(side, b), partition: 1);
            await group.CommitAsync(9, a, side => GroupTalk.Epoch(side, a), partition: 1); // another's
            await group.FollowAsync(1, a, (_, r) => r.MemberEpoch = -1);
            await group.DescribeConsumersAsync();
            await group.FollowAsync(1, b);
            await group.DescribeConsumersAsync();
        }
        d.Judge();
    }

    [Fact]
    public async Task Static_consumers_go_and_come_back_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        for (short v = 0; v <= 1; v++)
        {
            var (one, next, other, group) = ($"?one{v}", $"?next{v}", $"?other{v}", new GroupTalk(d, $"modern.static.{v}"));
            Action<Dialogue.Side, ConsumerGroupHeartbeatRequest> @as(string instance, int? epoch = null) => (_, r) => (r.InstanceId, r.MemberEpoch) = (instance, epoch ?? r.MemberEpoch);
            await group.EnterAsync(v, one, @as("i"));
            await group.DescribeConsumersAsync(v);
            await group.EnterAsync(v, next, @as("i")); // still taken
            await group.FollowAsync(v, one, @as("i"));
            await group.FollowAsync(v, one); // without its instance id
            await group.FollowAsync(v, one, @as("j"));
            await group.FollowAsync(v, one, @as("i", -2));
            await group.DescribeConsumersAsync(v);
            await group.FollowAsync(v, one, (_, r) => (r.InstanceId, r.MemberEpoch) = ("i", 1));
            await group.FollowAsync(v, one, @as("i", -2));
            await group.EnterAsync(v, other, @as("k")); // nothing is free while it is away
            await group.EnterAsync(v, next, @as("i"));
            await group.FollowAsync(v, one, (_, r) => (r.InstanceId, r.MemberEpoch) = ("i", 1)); // fenced
            await group.FollowAsync(v, one, (_, r) => (r.InstanceId, r.MemberEpoch) = ("i", -1));
            await group.FollowAsync(v, one, (_, r) => (r.InstanceId, r.MemberEpoch) = ("i", -2));
            await group.DescribeConsumersAsync(v);
            await group.CommitAsync(9, next, side => GroupTalk.Epoch(side, next), instance: "i");
            await group.CommitAsync(9, one, _ => 1, instance: "i");
            await group.FollowAsync(v, next, @as("i"));
            await group.FollowAsync(v, next, @as("i", -1));
            await group.DescribeConsumersAsync(v);
            await group.FollowAsync(v, other, @as("k"));
            await group.LeaveAsync(5, [("nothing", "k"), ("nothing", "unknown"), (other, null), (other, "k")]);
            await group.DescribeConsumersAsync(v);
        }
        d.Judge();
    }

    [Fact]
    public async Task Expressions_find_the_same_topics()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        await BesideAsync(d, "regex.a");
        await BesideAsync(d, "regex.b");
        foreach (var (expression, i) in new[] { @"regex\..*", "regex.[[:alpha:]]", @"\Qregex.a\E", "REGEX.a|(?i)REGEX.B", "(?P<x>regex).[^b]", "nothing.*" }.Select((e, i) => (e, i)))
        {
            var (me, name) = ($"?me{i}", $"modern.regex.{i}");
            var group = new GroupTalk(d, name);
            await d.WithBothAsync(async side => // Kafka looks for the topics beside the heartbeat
            {
                var client = await side.ReadyAsync("waiting");
                var answer = await client.CallAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(
                    new() { GroupId = name, MemberId = me, RebalanceTimeoutMs = 60_000, SubscribedTopicRegex = expression, TopicPartitions = [] }, 1);
                for (var tries = 0; tries < 600 && answer.Assignment is not { TopicPartitions.Count: > 0 } && i < 5; tries++)
                {
                    await Task.Delay(50, TestContext.Current.CancellationToken);
                    answer = await client.CallAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(new() { GroupId = name, MemberId = me, MemberEpoch = answer.MemberEpoch }, 1);
                }
                side.Known["epoch of " + me] = answer.MemberEpoch;
            });
            await group.FollowAsync(1, me, (side, r) => r.TopicPartitions = []);
            await group.DescribeConsumersAsync();
            await group.FollowAsync(1, me, (_, r) => r.MemberEpoch = -1);
        }
        d.Judge();
    }

    [Fact]
    public async Task Groups_change_their_protocol_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        GroupTalk emptied = new(d, "changing.emptied"), upgraded = new(d, "changing.upgraded"), foreign = new(d, "changing.foreign"), modern = new(d, "changing.modern"), half = new(d, "changing.half");
        // Classic, empty, with an offset: it becomes a consumer group, and back.
        await emptied.JoinAsync(3, "a");
        await emptied.LeaveAsync(5, "a");
        await emptied.CommitAsync(8);
        await emptied.FollowAsync(1, "?b", (_, r) => r.MemberEpoch = 1);
        await emptied.EnterAsync(1, "?b");
        await emptied.DescribeAsync();
        await emptied.DescribeConsumersAsync();
        await FetchAsync(d, "changing.emptied", null, from: 8);
        await emptied.CommitAsync(8, "?b", side => GroupTalk.Epoch(side, "?b"));
        for (short v = 2; v <= OffsetCommitRequest.HighestVersion; v++)
        {
            await emptied.CommitAsync(v, "?b", side => GroupTalk.Epoch(side, "?b"));
            await emptied.CommitAsync(v, "?b", side => GroupTalk.Epoch(side, "?b") + 1);
            await emptied.CommitAsync(v, "?b", side => GroupTalk.Epoch(side, "?b") - 1);
            await emptied.CommitAsync(v, "?b");
            await emptied.CommitAsync(v, "?c", _ => 1);
            await emptied.CommitAsync(v, "?c");
            await emptied.CommitAsync(v);
        }
        await FetchAsync(d, "changing.emptied", [("t", [0])], member: "?b", epoch: 1);
        await FetchAsync(d, "changing.emptied", [("t", [0])], member: "?b", epoch: 100, from: 9);
        await FetchAsync(d, "changing.emptied", [("t", [0])], member: "?b", epoch: 0, from: 9);
        await FetchAsync(d, "changing.emptied", [("t", [0])], member: "?b", from: 9);
        await FetchAsync(d, "changing.emptied", [("t", [0])], member: "?c", epoch: 1, from: 9);
        await FetchAsync(d, "changing.emptied", null, member: "?c", epoch: 1, from: 9);
        await emptied.BeatAsync(4, "?b", ahead: 1);
        await emptied.SyncAsync(5, "?b");
        await emptied.JoinAsync(9, "?b");
        await emptied.JoinAsync(9, "?c", protocols: [("none", [])]);
        await emptied.FollowAsync(1, "?b", (_, r) => r.MemberEpoch = -1);
        await emptied.DescribeConsumersAsync();
        await emptied.CommitAsync(8);
        await emptied.JoinAsync(3, "d");
        await emptied.DescribeAsync();
        await emptied.DescribeConsumersAsync();
        await FetchAsync(d, "changing.emptied", null, from: 8);
        // Classic, in use: member by member.
        await upgraded.JoinAsync(3, "e");
        await upgraded.SyncAsync(3, "e", assigned: [("e", GroupTalk.Assignment("t", 0, 1))]);
        await upgraded.EnterAsync(1, "?f");
        await upgraded.DescribeConsumersAsync();
        await upgraded.DescribeAsync();
        await upgraded.BeatAsync(4, "e");
        await upgraded.CommitAsync(9, "e", side => GroupTalk.Generation(side, "changing.upgraded"));
        await upgraded.JoinAsync(3, "e");
        await upgraded.SyncAsync(5, "e");
        await upgraded.BeatAsync(4, "e");
        await upgraded.DescribeConsumersAsync();
        await upgraded.CommitAsync(8, "e", side => GroupTalk.Generation(side, "changing.upgraded"));
        await upgraded.FollowAsync(1, "?f");
        await upgraded.DescribeConsumersAsync();
        await upgraded.FollowAsync(1, "?f", (_, r) => r.MemberEpoch = -1); // the last of its kind: classic again
        await upgraded.DescribeAsync();
        await upgraded.BeatAsync(4, "e");
        // What the broker does not understand stays.
        await foreign.JoinAsync(3, "g", type: "connect", protocols: [("x", [1])]);
        await foreign.EnterAsync(1, "?h");
        await foreign.FollowAsync(1, "?h", (_, r) => r.MemberEpoch = 3);
        await foreign.FollowAsync(1, "g", (_, r) => r.MemberEpoch = -1);
        await foreign.DescribeConsumersAsync();
        // Consumer, in use: classic members come in.
        await modern.EnterAsync(1, "?i");
        await modern.JoinAsync(9, "j");
        await modern.JoinAsync(9, "j");
        await modern.DescribeConsumersAsync();
        await modern.SyncAsync(5, "j", ahead: 1);
        await modern.SyncAsync(5, "j", protocol: "sticky");
        await modern.SyncAsync(5, "j");
        await modern.JoinAsync(9, "k", protocols: [("sticky", GroupTalk.Subscription("t"))]);
        await modern.JoinAsync(9, "k", type: "connect", protocols: [("sticky", [1])]);
        await modern.FollowAsync(1, "j", (_, r) => r.MemberEpoch = 2);
        await modern.LeaveAsync(5, "j");
        await modern.LeaveAsync(5, "?i");
        await modern.DescribeConsumersAsync();
        // Joined by half when the consumer comes.
        await half.JoinAsync(9, "l");
        await half.EnterAsync(1, "?m");
        await half.JoinAsync(9, "l");
        await half.DescribeConsumersAsync();
        d.Deviates(ApiKey.OffsetFetch, @"^\.Groups\[0\]\.ErrorCode", "Kafka itself fails (UNKNOWN_SERVER_ERROR) on an epoch without a member id");
        await FetchAsync(d, "changing.modern", [("t", [0])], epoch: 1, from: 9);
        d.Judge();
    }
}
