using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Committed offsets.</summary>
public sealed partial class GroupDialogueTests
{
    static async Task FetchAsync(Dialogue d, string group, (string Topic, int[] Partitions)[]? topics, bool stable = false, string? member = null, int epoch = -1, short from = 1, [System.Runtime.CompilerServices.CallerLineNumber] int line = 0)
    {
        for (var v = from; v <= OffsetFetchRequest.HighestVersion; v++)
        {
            if (topics is null && v < 2) continue;
            var version = v;
            await d.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(side => version < 8
                ? new() { GroupId = group, RequireStable = stable, Topics = topics?.Select(t => new OffsetFetchRequest.OffsetFetchRequestTopic { Name = t.Topic, PartitionIndexes = [.. t.Partitions] }).ToList() }
                : new() { RequireStable = stable, Groups = [Fetched(side, version, group, topics, member, epoch)] }, v, sorted: topics is null, line: line);
        }
    }

    static OffsetFetchRequest.OffsetFetchRequestGroup Fetched(Dialogue.Side side, short v, string group, (string Topic, int[] Partitions)[]? topics, string? member = null, int epoch = -1) => new()
    {
        GroupId = group, MemberId = member is null ? null : GroupTalk.Id(side, member), MemberEpoch = epoch,
        Topics = topics?.Select(t => new OffsetFetchRequest.OffsetFetchRequestTopics { Name = v >= 10 ? "" : t.Topic, TopicId = v >= 10 ? GroupTalk.Topic(side, t.Topic) : default, PartitionIndexes = [.. t.Partitions] }).ToList(),
    };

    [Fact]
    public async Task Offsets_are_committed_refused_and_told_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        await BesideAsync(d, "o");
        for (short v = 2; v <= OffsetCommitRequest.HighestVersion; v++)
        {
            GroupTalk group = new(d, $"offsets.{v}"), none = new(d, "");
            await group.CommitAsync(v, "?nobody", _ => 0);
            await group.CommitAsync(v, generation: _ => 3);
            await group.CommitAsync(v, "?nobody");
            await group.CommitAsync(v, instance: "i");
            await group.CommitAsync(v);
            await group.CommitAsync(v, partition: 1, offset: 0, metadata: null, epoch: 0);
            await group.CommitAsync(v, partition: 2);
            await group.CommitAsync(v, partition: -1);
            await group.CommitAsync(v, topic: "nowhere");
            await group.CommitAsync(v, topic: "");
            await group.CommitAsync(v, offset: -1);
            await group.CommitAsync(v, offset: -7);
            await group.CommitAsync(v, offset: long.MaxValue, epoch: 7);
            await group.CommitAsync(v, epoch: -3);
            await group.CommitAsync(v, topic: "o", metadata: new('m', 4096));
            await group.CommitAsync(v, metadata: new('m', 4097));
            await group.CommitAsync(v, metadata: new('é', 2049));
            await group.CommitAsync(v, metadata: new('é', 4096), partition: 1);
            await none.CommitAsync(v);
            await none.CommitAsync(v, "?nobody", _ => 0);
            var version = v;
            await d.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(side => new()
            {
                GroupId = $"offsets.{version}",
                Topics = [Many(side, version, "t", 1, 0, 5, 1), Many(side, version, "nowhere", 0, 1), Many(side, version, "o", 0), Many(side, version, "t", 0), Many(side, version, "o")],
            }, v);
            await d.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(_ => new() { GroupId = $"offsets.{version}", Topics = [] }, v);
            await d.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(_ => new() { GroupId = $"offsets.fresh.{version}", MemberId = "?nobody", GenerationIdOrMemberEpoch = 4, Topics = [] }, v);
            await group.DescribeAsync();
            if (v is 2 or 5 or 10) await FetchAsync(d, $"offsets.{v}", null);
        }
        await FetchAsync(d, "offsets.2", [("t", [0, 1, 7, -1, 0]), ("nowhere", [0]), ("o", [0]), ("t", [1])]);
        await FetchAsync(d, "offsets.2", [("t", []), ("o", [0])]);
        await FetchAsync(d, "offsets.2", [("", [0])]);
        await FetchAsync(d, "offsets.2", []);
        await FetchAsync(d, "offsets.2", [("t", [0])], stable: true);
        await FetchAsync(d, "offsets.none", [("t", [0]), ("nowhere", [0])]);
        await FetchAsync(d, "offsets.none", null);
        await FetchAsync(d, "", [("t", [0])]);
        await FetchAsync(d, "", null);
        await FetchAsync(d, "offsets.2", [("t", [0])], member: "?nobody", epoch: 1, from: 9);
        await FetchAsync(d, "offsets.2", [("t", [0])], member: "?nobody", from: 9);
        await FetchAsync(d, "offsets.2", null, member: "?nobody", epoch: 1, from: 9);
        await FetchAsync(d, "offsets.none", [("t", [0])], member: "?nobody", epoch: 1, from: 9);
        for (short v = 8; v <= 10; v++)
        {
            var version = v;
            await d.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(side => new()
            {
                Groups = [Fetched(side, version, "offsets.3", [("t", [1, 0]), ("o", [0])]), Fetched(side, version, "offsets.none", null), Fetched(side, version, "", null), Fetched(side, version, "offsets.4", [("nowhere", [0])])],
            }, v);
            await d.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(side => new() { Groups = [Fetched(side, version, "offsets.3", [("t", [0])]), Fetched(side, version, "offsets.3", [("o", [0])])] }, v);
            await d.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(_ => new() { Groups = [] }, v);
        }
        d.Judge();
    }

    [Fact]
    public async Task Offsets_of_members_are_committed_and_refused_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        for (short v = 2; v <= OffsetCommitRequest.HighestVersion; v++)
        {
            var (me, name) = ($"m{v}", $"committing.{v}");
            var group = new GroupTalk(d, name);
            await group.JoinAsync(9, me);
            await group.CommitAsync(v, me); // joined by half
            await group.JoinAsync(9, me);
            Func<Dialogue.Side, int> now = side => GroupTalk.Generation(side, name);
            await group.CommitAsync(v, me, now); // before it has its assignment
            await group.CommitAsync(v);
            await group.SyncAsync(5, me, assigned: [(me, [1])]);
            await group.CommitAsync(v, me, now);
            await group.CommitAsync(v, me, side => now(side) + 1);
            await group.CommitAsync(v, me, side => now(side) - 1);
            await group.CommitAsync(v, me);
            await group.CommitAsync(v);
            await group.CommitAsync(v, "?nobody");
            await group.CommitAsync(v, "?nobody", now);
            await group.CommitAsync(v, "nothing", now);
            await group.CommitAsync(v, me, now, instance: "i");
            await group.CommitAsync(v, me, side => now(side) + 1, partition: 9);
            var version = v;
            await d.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(side => new()
            {
                GroupId = name, GenerationIdOrMemberEpoch = 77, MemberId = GroupTalk.Id(side, me), Topics = [Many(side, version, "t", 1, 0, 5), Many(side, version, "nowhere", 0)],
            }, v);
            await FetchAsync(d, name, null, from: 7);
            await FetchAsync(d, name, [("t", [0])], member: me, epoch: 1, from: 9);
            await FetchAsync(d, name, [("t", [0])], member: "?nobody", epoch: 9, from: 9);
            await group.LeaveAsync(5, me);
            await group.CommitAsync(v, me, now);
            await group.CommitAsync(v);
            await FetchAsync(d, name, [("t", [0])], from: 7);
        }
        d.Judge();
    }

    [Fact]
    public async Task Offsets_are_deleted_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        await BesideAsync(d, "o");
        Task Delete(string group, params (string Topic, int[] Partitions)[] topics) => d.AskAsync<OffsetDeleteRequest, OffsetDeleteResponse>(_ => new()
        {
            GroupId = group,
            Topics = [.. topics.Select(t => new OffsetDeleteRequest.OffsetDeleteRequestTopic { Name = t.Topic, Partitions = [.. t.Partitions.Select(p => new OffsetDeleteRequest.OffsetDeleteRequestPartition { PartitionIndex = p })] })],
        }, 0);
        GroupTalk reads = new(d, "deleting.reads"), simple = new(d, "deleting.simple"), other = new(d, "deleting.other"), modern = new(d, "deleting.modern"), odd = new(d, "deleting.odd");
        foreach (var group in new[] { reads, simple, other, modern, odd, new(d, "") })
            foreach (var topic in new[] { "t", "o" })
                await group.CommitAsync(9, topic: topic);
        await reads.JoinAsync(3, "a");
        foreach (var group in new[] { "deleting.reads", "deleting.none", "" })
        {
            await Delete(group, ("t", [0]));
            await Delete(group);
        }
        await reads.SyncAsync(5, "a", assigned: [("a", GroupTalk.Assignment("t", 0, 1))]);
        await other.JoinAsync(3, "b", type: "connect", protocols: [("x", [1])]);
        await odd.JoinAsync(3, "c", protocols: [("range", [0])]);
        await modern.EnterAsync(1, "?d");
        foreach (var group in new[] { "deleting.reads", "deleting.simple", "deleting.other", "deleting.modern", "deleting.odd", "deleting.none", "" })
        {
            await Delete(group, ("t", [0, 1, 9, -1]), ("nowhere", [0]), ("o", [1]));
            await Delete(group, ("nowhere", [0]));
            await Delete(group, ("o", [0, 0]));
            await Delete(group, ("o", []));
            await FetchAsync(d, group, null, from: 9);
        }
        await simple.DescribeAsync();
        await Delete("deleting.simple", ("t", [0]), ("o", [0]));
        await simple.DescribeAsync();
        await other.LeaveAsync(3, "b");
        await Delete("deleting.other", ("o", [0]));
        d.Judge();
    }

    static OffsetCommitRequest.OffsetCommitRequestTopic Many(Dialogue.Side side, short v, string topic, params int[] partitions) => new()
    {
        Name = v >= 10 ? "" : topic, TopicId = v >= 10 ? GroupTalk.Topic(side, topic) : default,
        Partitions = [.. partitions.Select(p => new OffsetCommitRequest.OffsetCommitRequestPartition { PartitionIndex = p, CommittedOffset = 10 + p, CommittedMetadata = $"of {p}" })],
    };

    /// <summary>Another topic, of one partition.</summary>
    static async Task BesideAsync(Dialogue d, string topic)
    {
        await d.WithBothAsync(side => MakeAsync(side, topic, 1));
        await d.AskAsync<MetadataRequest, MetadataResponse>(_ => new() { Topics = [new() { Name = topic }] }, 12); // names its id
    }
}
