using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>SyncGroup, Heartbeat and LeaveGroup as Apache Kafka 4.3 answers them.</summary>
public sealed class ClassicSyncTests : IAsyncDisposable
{
    readonly GroupFixture g = new();

    public ValueTask DisposeAsync() => g.DisposeAsync();

    [Fact]
    public void Followers_wait_for_the_leaders_assignment()
    {
        var (generation, members) = g.Stable(3); // the waiting itself is checked in there
        Assert.Equal("Stable", g.State());
        Assert.Equal("a2", GroupFixture.Text(g.Now(g.Sync(generation, members[2])).Assignment));
    }

    [Fact]
    public void Who_is_not_in_the_leaders_list_gets_an_empty_assignment()
    {
        var (one, two) = TwoJoined();
        var follower = g.Sync(2, two);
        g.Now(g.Sync(2, one, null, (one, "all"), ("stranger", "x")));
        Assert.Equal(GroupError.None, g.Now(follower).Error);
        Assert.Equal(0, g.Now(follower).Assignment.Length);
    }

    [Fact]
    public void A_sync_of_a_stranger_or_another_generation_or_protocol_is_refused()
    {
        Assert.Equal(GroupError.UnknownMemberId, g.Now(g.Sync(1, "x")).Error);
        var (generation, members) = g.Stable();
        Assert.Equal(GroupError.UnknownMemberId, g.Now(g.Sync(generation, "x")).Error);
        Assert.Equal(GroupError.IllegalGeneration, g.Now(g.Sync(generation + 1, members[0])).Error);
        SyncGroupCall call = new() { GroupId = GroupFixture.GroupId, Generation = generation, MemberId = members[0] };
        Assert.Equal(GroupError.InconsistentGroupProtocol, g.Now(g.Coordinator.SyncAsync(call with { ProtocolType = "connect" })).Error);
        Assert.Equal(GroupError.InconsistentGroupProtocol, g.Now(g.Coordinator.SyncAsync(call with { Protocol = "sticky" })).Error);
        Assert.Equal(GroupError.None, g.Now(g.Coordinator.SyncAsync(call with { ProtocolType = "consumer", Protocol = "range" })).Error);
    }

    [Fact]
    public void A_rebalance_sends_the_waiting_followers_away()
    {
        var (_, two) = TwoJoined();
        var follower = g.Sync(2, two);
        var third = g.Join(g.NewMemberId());
        Assert.Equal(GroupError.RebalanceInProgress, g.Now(follower).Error);
        Assert.Equal(GroupError.RebalanceInProgress, g.Now(g.Sync(2, two)).Error);
        Assert.False(third.IsCompleted);
    }

    [Fact]
    public void The_assignment_is_handed_out_only_when_durable()
    {
        var (one, two) = TwoJoined();
        var follower = g.Sync(2, two);
        g.Store.Hold();
        var leader = g.Sync(2, one, null, (one, "a"), (two, "b"));
        Assert.False(leader.IsCompleted || follower.IsCompleted);
        g.Store.Release();
        Assert.Equal("a", GroupFixture.Text(g.Now(leader).Assignment));
        Assert.Equal("b", GroupFixture.Text(g.Now(follower).Assignment));
    }

    [Fact]
    public void An_assignment_that_could_not_be_kept_leads_to_another_rebalance()
    {
        var (one, two) = TwoJoined();
        var follower = g.Sync(2, two);
        g.Store.Refusing = true;
        var leader = g.Sync(2, one, null, (one, "a"), (two, "b"));
        Assert.Equal(GroupError.CoordinatorNotAvailable, g.Now(leader).Error);
        Assert.Equal(GroupError.CoordinatorNotAvailable, g.Now(follower).Error);
        Assert.Equal("PreparingRebalance", g.State());
    }

    [Fact]
    public void An_assignment_overtaken_by_a_rebalance_is_not_handed_out()
    {
        var (one, two) = TwoJoined();
        g.Store.Hold();
        var leader = g.Sync(2, one, null, (one, "a"), (two, "b"));
        g.Leave((two, null));
        Assert.Equal(GroupError.RebalanceInProgress, g.Now(leader).Error);
        g.Store.Release();
        Assert.Equal("PreparingRebalance", g.State());
        Assert.Equal(GroupError.RebalanceInProgress, g.Beat(2, one));
    }

    [Fact]
    public void Who_joins_but_never_syncs_is_removed_after_the_rebalance_timeout()
    {
        var one = g.Now(g.Join(version: 3, session: 300_000)).MemberId;
        var two = g.Join(version: 3, session: 300_000);
        g.Now(g.Join(one, session: 300_000));
        g.Now(g.Sync(2, one, null, (one, "a")));
        g.Time.Advance(GroupFixture.RebalanceTimeout + 10);
        Assert.Equal(GroupError.UnknownMemberId, g.Beat(2, g.Now(two).MemberId));
        Assert.Equal(GroupError.RebalanceInProgress, g.Beat(2, one));
    }

    [Fact]
    public void Heartbeats_keep_a_member_and_silence_loses_it()
    {
        var (generation, members) = g.Stable();
        for (var i = 0; i < 10; i++)
        {
            g.Time.Advance(GroupFixture.Session - 1_000);
            Assert.Equal(GroupError.None, g.Beat(generation, members[0]));
        }
        g.Time.Advance(GroupFixture.Session + 10);
        Assert.Equal(GroupError.UnknownMemberId, g.Beat(generation, members[0]));
        Assert.Equal("Empty", g.State());
    }

    [Fact]
    public void A_heartbeat_of_a_stranger_or_another_generation_is_refused()
    {
        Assert.Equal(GroupError.UnknownMemberId, g.Beat(1, "x"));
        var (generation, members) = g.Stable();
        Assert.Equal(GroupError.UnknownMemberId, g.Beat(generation, "x"));
        Assert.Equal(GroupError.IllegalGeneration, g.Beat(generation - 1, members[0]));
    }

    [Fact]
    public void A_heartbeat_between_join_and_sync_is_fine()
    {
        var (one, _) = TwoJoined();
        Assert.Equal(GroupError.None, g.Beat(2, one));
    }

    [Fact]
    public void A_lost_member_sets_off_a_rebalance_of_the_others()
    {
        var (generation, members) = g.Stable(2);
        g.Time.Advance(GroupFixture.Session - 1_000);
        g.Beat(generation, members[1]);
        g.Time.Advance(2_000);
        Assert.Equal(GroupError.RebalanceInProgress, g.Beat(generation, members[1]));
        Assert.Equal(members[1], g.Now(g.Join(members[1])).Leader);
    }

    [Fact]
    public void Leaving_sets_off_a_rebalance_and_the_last_one_leaves_the_group_empty()
    {
        var (generation, members) = g.Stable(2);
        var left = Assert.Single(g.Leave((members[0], null)).Members);
        Assert.Equal(GroupError.None, left.Error);
        Assert.Equal(GroupError.RebalanceInProgress, g.Beat(generation, members[1]));
        g.Leave((members[1], null));
        Assert.Equal("Empty", g.State());
        Assert.Equal(generation + 2, g.Now(g.Join(g.NewMemberId())).Generation);
    }

    [Fact]
    public void Leaving_in_a_batch_answers_for_each()
    {
        var (_, members) = g.Stable(2);
        var fixedId = g.Join(instanceId: "i1");
        foreach (var member in members) g.Join(member);
        Assert.Equal(GroupError.None, g.Now(fixedId).Error);
        var pending = g.NewMemberId();
        var result = g.Leave((members[0], null), ("stranger", null), ("", "i1"), ("", "i9"), ("wrong", "i1"), (pending, null));
        Assert.Equal(GroupError.None, result.Error);
        Assert.Equal(
            [GroupError.None, GroupError.UnknownMemberId, GroupError.None, GroupError.UnknownMemberId, GroupError.UnknownMemberId, GroupError.None],
            result.Members.Select(member => member.Error));
        Assert.Equal(GroupError.UnknownMemberId, g.Now(g.Join(pending)).Error);
    }

    [Fact]
    public void Up_to_version_2_the_members_error_is_the_answers()
    {
        g.Stable();
        LeaveGroupCall call = new() { ApiVersion = 2, GroupId = GroupFixture.GroupId, Members = [new("stranger", null)] };
        Assert.Equal(GroupError.UnknownMemberId, g.Coordinator.Leave(call).Error);
        Assert.Equal(GroupError.None, g.Coordinator.Leave(call with { ApiVersion = 3 }).Error);
        Assert.Equal(GroupError.UnknownMemberId, g.Coordinator.Leave(call with { GroupId = "none" }).Error);
    }

    [Fact]
    public void Cooperative_members_join_a_second_time_to_hand_over()
    {
        // Client side: after a revocation the member joins again; to the broker a leader or a changed subscription asks for a rebalance.
        var (generation, members) = g.Stable(2);
        var revoked = g.Join(members[1], metadata: "owns less");
        var leader = g.Join(members[0], metadata: "m");
        Assert.Equal(generation + 1, g.Now(leader).Generation);
        Assert.Equal(generation + 1, g.Now(revoked).Generation);
        g.SyncAll(generation + 1, members);
        Assert.Equal("Stable", g.State());
    }

    (string One, string Two) TwoJoined()
    {
        var one = g.NewMemberId();
        g.Now(g.Join(one));
        var two = g.NewMemberId();
        var second = g.Join(two);
        Assert.Equal(2, g.Now(g.Join(one)).Generation);
        Assert.Equal(2, g.Now(second).Generation);
        return (one, two);
    }
}
