using IotGateway.Broker.Groups;
using IotGateway.Broker.Groups.Storage;
using IotGateway.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>Groups in the real log, over restarts.</summary>
public sealed class LogGroupStoreTests : IAsyncDisposable
{
    static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    readonly string directory = Directory.CreateTempSubdirectory("groups-").FullName;
    readonly ManualTime time = new();
    LogStore log = null!;
    GroupCoordinator coordinator = null!;

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Offsets_and_members_of_both_protocols_survive_a_restart()
    {
        var ct = TestContext.Current.CancellationToken;
        await OpenAsync();
        var topic = await log.CreateTopicAsync("presses", 4, new(), ct);
        var id = (await coordinator.JoinAsync(Join("")).WaitAsync(Soon, ct)).MemberId;
        var joined = await coordinator.JoinAsync(Join(id)).WaitAsync(Soon, ct);
        Assert.Equal((GroupError.None, 1), (joined.Error, joined.Generation));
        await coordinator.SyncAsync(new() { GroupId = "classic", Generation = 1, MemberId = id, Assignments = [new(id, GroupFixture.Bytes("mine"))] }).WaitAsync(Soon, ct);
        Assert.Equal(GroupError.None, await CommitAsync("classic", 1, id, 42));
        var consumer = await coordinator.ConsumerHeartbeatAsync(Consumer(0) with
        {
            SubscribedTopicNames = ["presses"], RebalanceTimeoutMs = 60_000, OwnedPartitions = [],
        }).WaitAsync(Soon, ct);
        Assert.Equal([0, 1, 2, 3], Assert.Single(consumer.Assignment!).Partitions);

        await CloseAsync();
        await OpenAsync();
        Assert.Equal(GroupError.None, coordinator.Heartbeat(new("classic", 1, id, null)));
        Assert.Equal(42, Fetch("classic"));
        var beat = await coordinator.ConsumerHeartbeatAsync(Consumer(consumer.MemberEpoch)).WaitAsync(Soon, ct);
        Assert.Equal((GroupError.None, consumer.MemberEpoch), (beat.Error, beat.MemberEpoch));
        Assert.Equal(topic.Id, coordinator.DescribeConsumers(["modern"])[0].Members[0].Assignment[0].TopicId);
    }

    [Fact]
    public async Task Offsets_of_a_topic_deleted_from_the_log_go()
    {
        var ct = TestContext.Current.CancellationToken;
        await OpenAsync();
        var topic = await log.CreateTopicAsync("presses", 4, new(), ct);
        Assert.Equal(GroupError.None, await CommitAsync("simple", -1, "", 42));
        Assert.Equal(42, Fetch("simple"));
        await log.DeleteTopicAsync(topic.Id, ct);
        await log.CreateTopicAsync("presses", 4, new(), ct);
        Assert.Equal(-1, Fetch("simple"));
        await CloseAsync();
        await OpenAsync();
        Assert.Equal(-1, Fetch("simple"));
        time.Advance(10); // the look at the start
        await CloseAsync();
        await OpenAsync();
        Assert.Empty(log.Scan("groups.offsets"));
    }

    [Fact]
    public async Task Many_groups_commit_at_once_and_nothing_is_mixed_up()
    {
        var ct = TestContext.Current.CancellationToken;
        await OpenAsync();
        await log.CreateTopicAsync("presses", 4, new(), ct);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(group => Task.Run(async () =>
        {
            for (var i = 1; i <= 10; i++) Assert.Equal(GroupError.None, await CommitAsync($"g{group}", -1, "", group * 100 + i));
        }, ct)));
        await CloseAsync();
        await OpenAsync();
        for (var group = 0; group < 200; group++) Assert.Equal(group * 100 + 10, Fetch($"g{group}"));
    }

    async Task OpenAsync()
    {
        log = await LogStore.OpenAsync(new() { Directory = directory, WalBytes = 16 << 20 }, NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        coordinator = GroupCoordinator.Open(new(), new LogGroupStore(log), new LogGroupTopics(log), new(time, null), time, NullLogger.Instance);
    }

    async Task CloseAsync()
    {
        await coordinator.DisposeAsync();
        await log.DisposeAsync();
    }

    static JoinGroupCall Join(string id) => new()
    {
        ApiVersion = 9, GroupId = "classic", MemberId = id, SessionTimeoutMs = 10_000, RebalanceTimeoutMs = 60_000,
        ProtocolType = "consumer", Protocols = [new("range", GroupFixture.Bytes("m"))], ClientId = "app",
    };

    static ConsumerHeartbeatCall Consumer(int epoch) => new() { ApiVersion = 1, GroupId = "modern", MemberId = "m", MemberEpoch = epoch };

    async Task<GroupError> CommitAsync(string group, int generation, string member, long offset)
    {
        var result = await coordinator.CommitOffsetsAsync(new()
        {
            ApiVersion = 8, GroupId = group, GenerationOrEpoch = generation, MemberId = member, Topics = [new("presses", [new(1, offset, -1, null)])],
        }).WaitAsync(Soon);
        return result.Topics[0].Partitions[0].Error;
    }

    long Fetch(string group) => coordinator.FetchOffsets(new() { GroupId = group, Topics = [new("presses", [1])] }).Topics[0].Partitions[0].Offset;
}
