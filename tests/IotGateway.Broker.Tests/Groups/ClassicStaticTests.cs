using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>Static members (KIP-345, KIP-814).</summary>
public sealed class ClassicStaticTests : IAsyncDisposable
{
    readonly GroupFixture g = new();

    public ValueTask DisposeAsync() => g.DisposeAsync();

    [Fact]
    public void A_static_member_gets_its_id_at_once()
    {
        var joined = g.Now(g.Join(instanceId: "press"));
        Assert.Equal(GroupError.None, joined.Error);
        Assert.StartsWith("press-", joined.MemberId, StringComparison.Ordinal);
        Assert.Equal("press", joined.Members[0].InstanceId);
    }

    [Fact]
    public void A_restarted_static_member_takes_its_place_again_without_a_rebalance()
    {
        var (leader, follower) = StableStatics();
        var back = g.Now(g.Join(instanceId: "two"));
        Assert.Equal((GroupError.None, 2, leader, false), (back.Error, back.Generation, back.Leader, back.SkipAssignment));
        Assert.NotEqual(follower, back.MemberId);
        Assert.Equal("b", GroupFixture.Text(g.Now(g.Sync(2, back.MemberId, "two")).Assignment));
        Assert.Equal(GroupError.None, g.Beat(2, leader, "one"));
    }

    [Fact]
    public void The_former_self_is_fenced()
    {
        var (_, follower) = StableStatics();
        g.Now(g.Join(instanceId: "two"));
        Assert.Equal(GroupError.FencedInstanceId, g.Beat(2, follower, "two"));
        Assert.Equal(GroupError.FencedInstanceId, g.Now(g.Sync(2, follower, "two")).Error);
        Assert.Equal(GroupError.FencedInstanceId, g.Now(g.Join(follower, "two")).Error);
        Assert.Equal(GroupError.FencedInstanceId, g.Leave((follower, "two")).Members[0].Error);
    }

    [Fact]
    public void A_restarted_leader_leads_and_is_told_to_skip_the_assignment()
    {
        StableStatics();
        var back = g.Now(g.Join(instanceId: "one", version: 9));
        Assert.True(back.SkipAssignment);
        Assert.Equal(back.MemberId, back.Leader);
        Assert.Equal(2, back.Members.Count);
    }

    [Fact]
    public void An_older_restarted_leader_is_not_told_that_it_leads()
    {
        var (leader, _) = StableStatics();
        var back = g.Now(g.Join(instanceId: "one", version: 5));
        Assert.Equal((leader, false, 0), (back.Leader, back.SkipAssignment, back.Members.Count));
        Assert.NotEqual(leader, back.MemberId);
    }

    [Fact]
    public void A_static_member_that_changes_the_vote_sets_off_a_rebalance()
    {
        var one = g.Now(g.Join(instanceId: "one", protocols: "range,sticky")).MemberId;
        g.Now(g.Sync(1, one, "one", (one, "a")));
        var back = g.Now(g.Join(instanceId: "one", protocols: "sticky,range"));
        Assert.Equal((2, "sticky"), (back.Generation, back.Protocol));
    }

    [Fact]
    public void A_twin_fences_the_member_that_still_waits_to_join()
    {
        var (leader, follower) = StableStatics();
        var waiting = g.Join(leader, "one");
        Assert.False(waiting.IsCompleted);
        var twin = g.Join(instanceId: "one");
        Assert.Equal(GroupError.FencedInstanceId, g.Now(waiting).Error);
        Assert.Equal(GroupError.None, g.Now(g.Join(follower, "two")).Error);
        Assert.Equal(3, g.Now(twin).Generation);
    }

    [Fact]
    public void An_absent_static_member_keeps_its_place_over_a_rebalance_until_its_session_ends()
    {
        var one = g.Now(g.Join(instanceId: "one", session: 600_000)).MemberId;
        var two = g.Join(instanceId: "two", session: 600_000);
        g.Now(g.Join(one, "one", session: 600_000));
        Assert.Equal(2, g.Now(two).Generation);
        g.Now(g.Sync(2, one, "one", (one, "a")));
        g.Now(g.Sync(2, g.Now(two).MemberId, "two"));
        var rebalance = g.Join(one, "one", session: 600_000);
        g.Time.Advance(GroupFixture.RebalanceTimeout + 10);
        Assert.Equal(2, g.Now(rebalance).Members.Count);
    }

    [Fact]
    public void A_static_member_whose_session_ends_is_removed()
    {
        var (leader, follower) = StableStatics();
        g.Time.Advance(GroupFixture.Session - 1_000);
        g.Beat(2, leader, "one");
        g.Time.Advance(2_000);
        Assert.Equal(GroupError.UnknownMemberId, g.Beat(2, follower, "two"));
        Assert.Equal(GroupError.RebalanceInProgress, g.Beat(2, leader, "one"));
    }

    [Fact]
    public async Task A_static_group_goes_on_after_a_restart_of_the_broker_without_a_rebalance()
    {
        var (leader, follower) = StableStatics();
        await g.RestartAsync();
        Assert.Equal("Stable", g.State());
        Assert.Equal(GroupError.None, g.Beat(2, leader, "one"));
        Assert.Equal("b", GroupFixture.Text(g.Now(g.Sync(2, follower, "two")).Assignment));
        Assert.Equal(2, g.Now(g.Join(instanceId: "two")).Generation);
    }

    (string Leader, string Follower) StableStatics()
    {
        var one = g.Now(g.Join(instanceId: "one")).MemberId;
        var second = g.Join(instanceId: "two");
        g.Now(g.Join(one, "one"));
        var two = g.Now(second).MemberId;
        var waiting = g.Sync(2, two, "two");
        g.Now(g.Sync(2, one, "one", (one, "a"), (two, "b")));
        Assert.Equal("b", GroupFixture.Text(g.Now(waiting).Assignment));
        return (one, two);
    }
}
