using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>OffsetCommit, OffsetFetch, OffsetDelete and their retention.</summary>
public sealed class OffsetTests : IAsyncDisposable
{
    readonly GroupFixture g = new();

    public ValueTask DisposeAsync() => g.DisposeAsync();

    [Fact]
    public async Task A_committed_offset_is_fetched_with_epoch_and_metadata()
    {
        Assert.Equal(GroupError.None, await g.CommitAsync(42, metadata: "note"));
        var fetched = g.Coordinator.FetchOffsets(new() { GroupId = GroupFixture.GroupId, Topics = [new("presses", [0, 1])] });
        Assert.Equal([new(0, 42, 7, "note", GroupError.None), new(1, -1, -1, "", GroupError.None)], fetched.Topics[0].Partitions);
    }

    [Fact]
    public async Task No_topics_means_all_topics()
    {
        await g.CommitAsync(1, partition: 3);
        await g.CommitAsync(2, partition: 1);
        await g.CommitAsync(3, topic: "ovens");
        var fetched = g.Coordinator.FetchOffsets(new() { GroupId = GroupFixture.GroupId });
        Assert.Equal([("ovens", 0, 3L), ("presses", 1, 2L), ("presses", 3, 1L)],
            fetched.Topics.SelectMany(topic => topic.Partitions.Select(item => (topic.Topic, item.Partition, item.Offset))));
        Assert.Empty(g.Coordinator.FetchOffsets(new() { GroupId = "none" }).Topics);
    }

    [Fact]
    public async Task A_commit_is_answered_and_seen_only_when_durable()
    {
        g.Store.Hold();
        var commit = g.CommitAsync(42);
        Assert.False(commit.IsCompleted);
        Assert.Equal(-1, g.Fetch());
        g.Store.Release();
        Assert.Equal(GroupError.None, await commit);
        Assert.Equal(42, g.Fetch());
    }

    [Fact]
    public async Task Commits_that_wait_share_one_write_and_keep_their_order()
    {
        g.Store.Hold();
        var commits = Enumerable.Range(1, 100).Select(offset => g.CommitAsync(offset)).ToArray();
        g.Store.Release();
        await Task.WhenAll(commits);
        Assert.Equal(100, g.Fetch());
        Assert.Equal(2, g.Store.Commits);
    }

    [Fact]
    public async Task A_commit_that_failed_changes_nothing()
    {
        await g.CommitAsync(1);
        g.Store.Refusing = true;
        Assert.Equal(GroupError.CoordinatorNotAvailable, await g.CommitAsync(2));
        Assert.Equal(1, g.Fetch());
    }

    [Fact]
    public async Task Unknown_topics_and_partitions_and_long_metadata_are_refused_each()
    {
        Assert.Equal(GroupError.UnknownTopicOrPartition, await g.CommitAsync(1, topic: "lathes"));
        Assert.Equal(GroupError.UnknownTopicOrPartition, await g.CommitAsync(1, partition: 4));
        Assert.Equal(GroupError.None, await g.CommitAsync(1, metadata: new string('ä', 4096)));
        Assert.Equal(GroupError.OffsetMetadataTooLarge, await g.CommitAsync(2, metadata: new string('x', 4097)));
        var mixed = await g.Coordinator.CommitOffsetsAsync(new()
        {
            ApiVersion = 8,
            GroupId = GroupFixture.GroupId,
            Topics = [new("lathes", [new(0, 5, -1, null)]), new("ovens", [new(0, 5, -1, null), new(9, 5, -1, null)])],
        });
        Assert.Equal([GroupError.UnknownTopicOrPartition, GroupError.None, GroupError.UnknownTopicOrPartition],
            mixed.Topics.SelectMany(topic => topic.Partitions.Select(item => item.Error)));
        Assert.Equal(5, g.Fetch("ovens"));
        Assert.Equal(1, g.Fetch());
    }

    [Fact]
    public async Task Only_members_of_the_generation_commit_while_there_are_members()
    {
        var (generation, members) = g.Stable();
        Assert.Equal(GroupError.None, await g.CommitAsync(1, generation, members[0]));
        Assert.Equal(GroupError.UnknownMemberId, await g.CommitAsync(2));
        Assert.Equal(GroupError.UnknownMemberId, await g.CommitAsync(2, generation, "stranger"));
        Assert.Equal(GroupError.IllegalGeneration, await g.CommitAsync(2, generation - 1, members[0]));
        Assert.Equal(GroupError.UnknownMemberId, await g.CommitAsync(2, generation, members[0], "instance"));
        Assert.Equal(1, g.Fetch());
    }

    [Fact]
    public async Task A_fenced_instance_does_not_commit()
    {
        var one = g.Now(g.Join(instanceId: "one")).MemberId;
        g.Now(g.Sync(1, one, "one", (one, "a")));
        g.Now(g.Join(instanceId: "one"));
        Assert.Equal(GroupError.FencedInstanceId, await g.CommitAsync(1, 1, one, "one"));
    }

    [Fact]
    public async Task In_a_rebalance_members_commit_until_they_have_joined_but_not_before_they_have_synced()
    {
        var (generation, members) = g.Stable();
        var second = g.Join(g.NewMemberId());
        Assert.Equal(GroupError.None, await g.CommitAsync(7, generation, members[0]));
        g.Now(g.Join(members[0]));
        Assert.Equal(GroupError.None, g.Now(second).Error);
        Assert.Equal(GroupError.RebalanceInProgress, await g.CommitAsync(8, generation + 1, members[0]));
    }

    [Fact]
    public async Task A_commit_is_a_sign_of_life()
    {
        var (generation, members) = g.Stable();
        for (var i = 0; i < 5; i++)
        {
            g.Time.Advance(GroupFixture.Session - 1_000);
            Assert.Equal(GroupError.None, await g.CommitAsync(i, generation, members[0]));
        }
    }

    [Theory]
    [InlineData(8, GroupError.IllegalGeneration)]
    [InlineData(9, GroupError.GroupIdNotFound)]
    public async Task A_generation_of_a_group_that_is_not_there_is_refused(int version, object error)
        => Assert.Equal((GroupError)error, await g.CommitAsync(1, 3, "m", version: version));

    [Fact]
    public async Task Offsets_and_the_generation_survive_a_restart()
    {
        var (generation, members) = g.Stable();
        await g.CommitAsync(42, generation, members[0], metadata: "note");
        g.Leave((members[0], null));
        await g.RestartAsync();
        Assert.Equal(42, g.Fetch());
        Assert.Equal("Empty", g.State());
        Assert.Equal(generation + 2, g.Now(g.Join(g.NewMemberId())).Generation);
    }

    [Fact]
    public async Task Members_survive_a_restart_and_have_one_session_to_show_themselves()
    {
        var (generation, members) = g.Stable(2);
        await g.RestartAsync();
        Assert.Equal(GroupError.None, g.Beat(generation, members[0]));
        Assert.Equal(GroupError.None, await g.CommitAsync(1, generation, members[0]));
        g.Time.Advance(GroupFixture.Session - 1_000);
        Assert.Equal(GroupError.None, g.Beat(generation, members[0]));
        g.Time.Advance(2_000);
        Assert.Equal(GroupError.UnknownMemberId, g.Beat(generation, members[1]));
    }

    [Fact]
    public async Task A_restart_between_join_and_sync_goes_on_with_the_sync()
    {
        var id = g.NewMemberId();
        g.Now(g.Join(id));
        await g.RestartAsync();
        Assert.Equal("a", GroupFixture.Text(g.Now(g.Sync(1, id, null, (id, "a"))).Assignment));
        Assert.Equal("Stable", g.State());
    }

    [Fact]
    public async Task Offsets_of_a_deleted_topic_go_even_when_it_is_made_again()
    {
        await g.CommitAsync(42);
        await g.CommitAsync(5, topic: "ovens");
        g.Topics.Remove("presses");
        Assert.Equal(-1, g.Fetch());
        g.Topics.Add("presses", 4);
        Assert.Equal(-1, g.Fetch());
        g.Time.Advance(10);
        Assert.Equal(1, g.Store.Count("groups.offsets"));
        Assert.Equal(5, g.Fetch("ovens"));
    }

    [Fact]
    public async Task Offsets_of_a_topic_deleted_while_the_broker_was_down_go()
    {
        await g.CommitAsync(42);
        g.Topics.Remove("presses"); // the coordinator has not looked yet
        g.Topics.Add("presses", 4);
        await g.RestartAsync();
        Assert.Equal(-1, g.Fetch());
        Assert.Equal(0, g.Store.Count("groups.offsets"));
    }

    [Fact]
    public async Task Offsets_of_topics_nobody_consumes_can_be_deleted()
    {
        await g.CommitAsync(1);
        var result = await DeleteAsync("presses");
        Assert.Equal(GroupError.None, result.Topics[0].Partitions[0].Error);
        Assert.Equal(-1, g.Fetch());
        Assert.Equal(0, g.Store.Count("groups.offsets"));
        Assert.Equal(GroupError.GroupIdNotFound, (await g.Coordinator.DeleteOffsetsAsync(new("none", []))).Error);
    }

    [Fact]
    public async Task Offsets_of_topics_a_member_consumes_stay()
    {
        var id = g.NewMemberId();
        var joined = await g.Coordinator.JoinAsync(new()
        {
            ApiVersion = 9, GroupId = GroupFixture.GroupId, MemberId = id, SessionTimeoutMs = 10_000, RebalanceTimeoutMs = 10_000,
            ProtocolType = "consumer", Protocols = [new("range", Subscription("presses"))],
        });
        g.Now(g.Sync(joined.Generation, id));
        await g.CommitAsync(1, joined.Generation, id);
        await g.CommitAsync(2, joined.Generation, id, topic: "ovens");
        Assert.Equal(GroupError.GroupSubscribedToTopic, (await DeleteAsync("presses")).Topics[0].Partitions[0].Error);
        Assert.Equal(GroupError.None, (await DeleteAsync("ovens")).Topics[0].Partitions[0].Error);
        Assert.Equal((1L, -1L), (g.Fetch(), g.Fetch("ovens")));
    }

    [Fact]
    public async Task Offsets_of_a_group_that_is_not_of_consumers_stay_while_it_has_members()
    {
        g.Now(g.Join(version: 3, type: "connect"));
        Assert.Equal(GroupError.NonEmptyGroup, (await DeleteAsync("presses")).Error);
    }

    [Fact]
    public async Task A_simple_groups_offsets_expire_each_a_week_after_its_commit()
    {
        await g.CommitAsync(1);
        g.Time.Advance(TimeSpan.FromDays(3));
        await g.CommitAsync(2, topic: "ovens");
        g.Time.Advance(TimeSpan.FromDays(4) + TimeSpan.FromMinutes(11));
        Assert.Equal((-1L, 2L), (g.Fetch(), g.Fetch("ovens")));
        g.Time.Advance(TimeSpan.FromDays(3));
        Assert.Empty(g.Coordinator.List([], []));
        Assert.Equal(0, g.Store.Count("groups.offsets"));
    }

    [Theory]
    [InlineData(30)]
    [InlineData(-30)]
    public async Task A_clock_that_is_set_neither_expires_offsets_nor_keeps_them(int days)
    {
        await g.CommitAsync(1);
        g.Time.Set = TimeSpan.FromDays(days);
        g.Time.Advance(TimeSpan.FromDays(6.9));
        Assert.Equal(1, g.Fetch());
        g.Time.Advance(TimeSpan.FromDays(0.2));
        Assert.Equal(-1, g.Fetch());
    }

    [Fact]
    public async Task An_offset_that_a_transaction_commits_is_the_newer_one_also_when_the_clock_was_set_back()
    {
        await g.CommitAsync(1);
        g.Time.Set = TimeSpan.FromDays(-1);
        await g.RestartAsync();
        var (_, offsets) = g.Coordinator.PlanTransactional(new() { ApiVersion = 5, GroupId = GroupFixture.GroupId, MemberId = "", GenerationOrEpoch = -1, Topics = [new("presses", [new(0, 7, -1, "")])] });
        g.Coordinator.Committed(GroupFixture.GroupId, offsets);
        Assert.Equal(7, g.Fetch());
    }

    [Fact]
    public void A_group_stays_while_a_transaction_has_offsets_for_it()
    {
        var topic = Guid.NewGuid();
        g.Coordinator.Hold(GroupFixture.GroupId);
        g.Coordinator.Pending.Add(GroupFixture.GroupId, "presses", 0, topic);
        g.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal("Empty", g.State());
        g.Coordinator.Pending.Remove(GroupFixture.GroupId, "presses", 0, topic);
        g.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal("Dead", g.State());
    }

    [Fact]
    public async Task A_groups_offsets_expire_a_week_after_its_last_member_left()
    {
        var id = g.NewMemberId();
        g.Now(g.Join(id, session: 1_800_000));
        g.Now(g.Sync(1, id));
        await g.CommitAsync(1, 1, id);
        for (var i = 0; i < 10 * 50; i++) // ten days of an idle topic
        {
            g.Time.Advance(TimeSpan.FromMinutes(29));
            Assert.Equal(GroupError.None, g.Beat(1, id));
        }
        Assert.Equal(1, g.Fetch());
        g.Leave((id, null));
        g.Time.Advance(TimeSpan.FromDays(6.9));
        Assert.Equal(1, g.Fetch());
        g.Time.Advance(TimeSpan.FromDays(0.2));
        Assert.Equal(-1, g.Fetch());
        Assert.Equal("Dead", g.State());
        Assert.Equal(0, g.Store.Count("groups.classic"));
    }

    [Fact]
    public async Task A_retention_given_with_the_commit_holds_for_it()
    {
        await g.CommitAsync(1, version: 4, retention: 3_600_000);
        g.Time.Advance(TimeSpan.FromMinutes(55));
        Assert.Equal(1, g.Fetch());
        g.Time.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(-1, g.Fetch());
    }

    [Fact]
    public async Task A_commit_under_way_is_not_lost_to_expiry()
    {
        await g.CommitAsync(1);
        g.Time.Advance(TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1));
        g.Store.Hold();
        var commit = g.CommitAsync(2);
        g.Time.Advance(TimeSpan.FromMinutes(30));
        g.Store.Release();
        Assert.Equal(GroupError.None, await commit);
        Assert.Equal(2, g.Fetch());
        Assert.Equal(1, g.Store.Count("groups.offsets"));
        g.Store.Hold(); // what was not applied must not be there after a restart either
        await g.RestartAsync();
        Assert.Equal(2, g.Fetch());
    }

    Task<OffsetResult> DeleteAsync(string topic) => g.Coordinator.DeleteOffsetsAsync(new(GroupFixture.GroupId, [new(topic, [0])]));

    /// <summary>Version 0, one topic, no user data.</summary>
    static byte[] Subscription(string topic) => [0, 0, 0, 0, 0, 1, 0, (byte)topic.Length, .. GroupFixture.Bytes(topic), 0, 0, 0, 0];
}
