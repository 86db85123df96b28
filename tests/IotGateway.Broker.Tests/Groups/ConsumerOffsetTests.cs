using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>Offsets of KIP-848 groups.</summary>
public sealed class ConsumerOffsetTests : IAsyncDisposable
{
    readonly GroupFixture g = new();

    public ValueTask DisposeAsync() => g.DisposeAsync();

    [Fact]
    public async Task Members_commit_and_fetch_under_their_epoch()
    {
        ConsumerClient one = new(g, "one");
        one.Join();
        Assert.Equal(GroupError.None, await g.CommitAsync(42, one.Epoch, "one", version: 9));
        Assert.Equal(GroupError.StaleMemberEpoch, await g.CommitAsync(43, one.Epoch + 1, "one", version: 9));
        Assert.Equal(GroupError.UnknownMemberId, await g.CommitAsync(43, one.Epoch, "two", version: 9));
        Assert.Equal(GroupError.UnknownMemberId, await g.CommitAsync(43, version: 9));
        Assert.Equal(GroupError.UnsupportedVersion, await g.CommitAsync(43, one.Epoch, "one", version: 8));
        Assert.Equal(42, g.Fetch());
        OffsetFetchCall fetch = new() { GroupId = GroupFixture.GroupId, Topics = [new("presses", [0])], MemberId = "one", MemberEpoch = one.Epoch };
        Assert.Equal(42, g.Coordinator.FetchOffsets(fetch).Topics[0].Partitions[0].Offset);
        Assert.Equal(GroupError.StaleMemberEpoch, g.Coordinator.FetchOffsets(fetch with { MemberEpoch = 9 }).Error);
        Assert.Equal(GroupError.UnknownMemberId, g.Coordinator.FetchOffsets(fetch with { MemberId = "two" }).Error);
    }

    [Fact]
    public async Task A_commit_sent_before_the_new_epoch_was_heard_of_counts_for_partitions_had_since()
    {
        ConsumerClient one = new(g, "one"), two = new(g, "two");
        one.Join();
        two.Join();
        one.Follow();
        one.Follow();
        Assert.Equal(3, one.Epoch);
        var kept = one.Owned[0].Partitions;
        var given = Enumerable.Range(0, 4).First(partition => !kept.Contains(partition));
        Assert.Equal(GroupError.None, await g.CommitAsync(1, 2, "one", partition: kept[0], version: 9));
        Assert.Equal(GroupError.StaleMemberEpoch, await g.CommitAsync(1, 2, "one", partition: given, version: 9));
    }

    [Fact]
    public async Task Offsets_of_subscribed_topics_neither_expire_nor_can_be_deleted()
    {
        ConsumerClient one = new(g, "one");
        one.Join();
        await g.CommitAsync(1, one.Epoch, "one", version: 9);
        await g.CommitAsync(2, one.Epoch, "one", topic: "ovens", version: 9);
        for (var i = 0; i < 8 * 24 * 90; i++)
        {
            g.Time.Advance(40_000);
            one.Beat(owned: false);
        }
        Assert.Equal((1L, -1L), (g.Fetch(), g.Fetch("ovens")));
        var deleted = await g.Coordinator.DeleteOffsetsAsync(new(GroupFixture.GroupId, [new("presses", [0])]));
        Assert.Equal(GroupError.GroupSubscribedToTopic, deleted.Topics[0].Partitions[0].Error);
    }

    [Fact]
    public async Task An_empty_group_takes_offsets_of_anybody_and_can_be_deleted()
    {
        ConsumerClient one = new(g, "one");
        one.Join();
        Assert.Equal(GroupError.NonEmptyGroup, (await g.Coordinator.DeleteGroupsAsync([GroupFixture.GroupId]))[0].Error);
        one.Leave();
        Assert.Equal(GroupError.None, await g.CommitAsync(7));
        Assert.Equal(GroupError.None, (await g.Coordinator.DeleteGroupsAsync([GroupFixture.GroupId]))[0].Error);
        Assert.Equal(0, g.Store.Count("groups.offsets") + g.Store.Count("groups.consumer") + g.Store.Count("groups.consumer.members"));
    }
}
