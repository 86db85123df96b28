using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>JoinGroup as Apache Kafka 4.3 answers it.</summary>
public sealed class ClassicJoinTests : IAsyncDisposable
{
    readonly GroupFixture g = new();

    public ValueTask DisposeAsync() => g.DisposeAsync();

    [Fact]
    public void A_member_without_an_id_is_given_one_and_told_to_join_again()
    {
        var refused = g.Now(g.Join());
        Assert.Equal(GroupError.MemberIdRequired, refused.Error);
        Assert.StartsWith("app-", refused.MemberId, StringComparison.Ordinal);
        var joined = g.Now(g.Join(refused.MemberId));
        Assert.Equal((GroupError.None, 1, refused.MemberId), (joined.Error, joined.Generation, joined.Leader));
        Assert.Equal(("consumer", "range"), (joined.ProtocolType, joined.Protocol));
        Assert.Equal(refused.MemberId, Assert.Single(joined.Members).MemberId);
        Assert.Equal("CompletingRebalance", g.State());
    }

    [Fact]
    public void Before_version_4_a_member_without_an_id_is_in_at_once()
    {
        var joined = g.Now(g.Join(version: 3));
        Assert.Equal(GroupError.None, joined.Error);
        Assert.NotEmpty(joined.MemberId);
    }

    [Fact]
    public void Version_0_has_no_rebalance_timeout_so_the_session_timeout_serves()
    {
        var first = g.Now(g.Join(version: 0, rebalance: -1)).MemberId;
        var second = g.Join(version: 0, rebalance: -1);
        Assert.False(second.IsCompleted);
        g.Time.Advance(GroupFixture.Session + 1);
        Assert.Equal(2, g.Now(second).Generation);
        Assert.Equal(GroupError.UnknownMemberId, g.Beat(2, first));
    }

    [Fact]
    public void An_id_nobody_was_given_is_unknown()
    {
        Assert.Equal(GroupError.UnknownMemberId, g.Now(g.Join("stranger")).Error);
        g.Stable();
        Assert.Equal(GroupError.UnknownMemberId, g.Now(g.Join("stranger")).Error);
    }

    [Fact]
    public void An_id_that_is_not_used_within_the_session_timeout_is_forgotten()
    {
        var id = g.NewMemberId();
        g.Time.Advance(GroupFixture.Session + 1);
        Assert.Equal(GroupError.UnknownMemberId, g.Now(g.Join(id)).Error);
    }

    [Theory]
    [InlineData(5_999)]
    [InlineData(1_800_001)]
    public void A_session_timeout_outside_the_limits_is_refused(int session)
        => Assert.Equal(GroupError.InvalidSessionTimeout, g.Now(g.Join(session: session)).Error);

    [Fact]
    public void A_group_needs_a_name() => Assert.Equal(GroupError.InvalidGroupId, g.Now(g.Join(group: "")).Error);

    [Fact]
    public void Another_protocol_type_or_no_common_protocol_is_inconsistent()
    {
        g.Stable();
        Assert.Equal(GroupError.InconsistentGroupProtocol, g.Now(g.Join(type: "connect")).Error);
        Assert.Equal(GroupError.InconsistentGroupProtocol, g.Now(g.Join(protocols: "sticky")).Error);
        Assert.Equal(GroupError.InconsistentGroupProtocol, g.Now(g.Join(group: "other", type: "")).Error);
    }

    [Fact]
    public void The_protocol_most_members_like_best_among_the_common_ones_is_chosen()
    {
        var one = g.Now(g.Join(version: 3, protocols: "sticky,range,odd")).MemberId;
        var two = g.Join(version: 3, protocols: "range,sticky");
        var again = g.Join(one, protocols: "sticky,range,odd");
        var three = g.Join(version: 3, protocols: "range,sticky");
        var third = g.Join(one, protocols: "sticky,range,odd");
        var secondAgain = g.Join(g.Now(two).MemberId, protocols: "range,sticky");
        Assert.Equal(GroupError.None, g.Now(again).Error);
        Assert.Equal("range", g.Now(third).Protocol);
        Assert.Equal("range", g.Now(secondAgain).Protocol);
        Assert.Equal("range", g.Now(three).Protocol);
    }

    [Fact]
    public void Only_the_leader_sees_the_members()
    {
        var leader = g.NewMemberId();
        g.Now(g.Join(leader));
        var follower = g.NewMemberId();
        var followed = g.Join(follower, metadata: "f");
        var led = g.Now(g.Join(leader, metadata: "l"));
        Assert.Equal(leader, led.Leader);
        Assert.Equal([(leader, "l"), (follower, "f")], led.Members.Select(m => (m.MemberId, GroupFixture.Text(m.Metadata))));
        Assert.Equal(leader, g.Now(followed).Leader);
        Assert.Empty(g.Now(followed).Members);
    }

    [Fact]
    public void A_join_waits_until_all_members_have_joined_again()
    {
        var (generation, members) = g.Stable(2);
        var third = g.Join(g.NewMemberId());
        Assert.Equal("PreparingRebalance", g.State());
        Assert.All(members, member => Assert.Equal(GroupError.RebalanceInProgress, g.Beat(generation, member)));
        var first = g.Join(members[0]);
        Assert.False(third.IsCompleted || first.IsCompleted);
        var second = g.Join(members[1]);
        Assert.All([first, second, third], join => Assert.Equal(generation + 1, g.Now(join).Generation));
    }

    [Fact]
    public void A_join_waits_for_the_longest_rebalance_timeout_and_no_more()
    {
        var slow = g.Now(g.Join(version: 3, session: 200_000, rebalance: 90_000)).MemberId;
        var second = g.Join(version: 3, rebalance: 20_000);
        g.Time.Advance(89_990);
        Assert.False(second.IsCompleted);
        g.Time.Advance(20);
        Assert.Equal(GroupError.None, g.Now(second).Error);
        Assert.Equal(g.Now(second).MemberId, g.Now(second).Leader);
        Assert.Equal(GroupError.UnknownMemberId, g.Beat(1, slow));
    }

    [Fact]
    public void A_silent_member_no_longer_holds_up_the_rebalance_when_its_session_ends()
    {
        var (generation, members) = g.Stable();
        var second = g.Join(g.NewMemberId());
        g.Time.Advance(GroupFixture.Session - 10);
        Assert.False(second.IsCompleted);
        g.Time.Advance(20);
        Assert.Equal(generation + 1, g.Now(second).Generation);
        Assert.Equal(GroupError.UnknownMemberId, g.Beat(generation, members[0]));
    }

    [Fact]
    public void A_member_that_waits_to_join_does_not_lose_its_session()
    {
        var slow = g.Now(g.Join(version: 3, session: 300_000, rebalance: 300_000)).MemberId;
        var waits = g.Join(version: 3, session: 6_000);
        g.Time.Advance(250_000);
        Assert.False(waits.IsCompleted);
        var back = g.Join(slow);
        Assert.Equal(GroupError.None, g.Now(waits).Error);
        Assert.Equal(2, g.Now(back).Members.Count);
    }

    [Fact]
    public void A_member_that_waits_to_join_again_does_not_lose_its_session()
    {
        var one = g.Now(g.Join(version: 3, session: 300_000, rebalance: 300_000)).MemberId;
        var two = g.Join(version: 3, session: 6_000);
        g.Now(g.Join(one, session: 300_000, rebalance: 300_000));
        var id = g.Now(two).MemberId;
        var waits = g.Join(id, metadata: "changed", session: 6_000);
        g.Time.Advance(60_000);
        Assert.False(waits.IsCompleted);
        g.Now(g.Join(one, session: 300_000, rebalance: 300_000));
        Assert.Equal((GroupError.None, id), (g.Now(waits).Error, g.Now(waits).MemberId));
    }

    [Fact]
    public void A_follower_that_joins_again_unchanged_in_a_stable_group_sets_nothing_off()
    {
        var (generation, members) = g.Stable(2);
        var again = g.Now(g.Join(members[1]));
        Assert.Equal((generation, members[0]), (again.Generation, again.Leader));
        Assert.Equal("Stable", g.State());
    }

    [Fact]
    public void A_follower_that_joins_again_with_another_subscription_sets_off_a_rebalance()
    {
        var (generation, members) = g.Stable(2);
        var changed = g.Join(members[1], metadata: "other");
        Assert.Equal(GroupError.RebalanceInProgress, g.Beat(generation, members[0]));
        var leader = g.Now(g.Join(members[0]));
        Assert.Equal(generation + 1, g.Now(changed).Generation);
        Assert.Equal("other", GroupFixture.Text(leader.Members[1].Metadata));
    }

    [Fact]
    public void A_leader_that_joins_again_sets_off_a_rebalance_even_unchanged()
    {
        var (generation, members) = g.Stable(2);
        Assert.False(g.Join(members[0]).IsCompleted);
        Assert.Equal(GroupError.RebalanceInProgress, g.Beat(generation, members[1]));
    }

    [Fact]
    public void A_member_that_missed_its_answer_gets_it_again()
    {
        var id = g.NewMemberId();
        g.Now(g.Join(id));
        var again = g.Now(g.Join(id));
        Assert.Equal((GroupError.None, 1, 1), (again.Error, again.Generation, again.Members.Count));
    }

    [Fact]
    public void A_full_group_takes_nobody_more()
    {
        var small = new GroupFixture(new() { MaxSize = 1 });
        var (_, members) = small.Stable();
        Assert.Equal(GroupError.GroupMaxSizeReached, small.Now(small.Join()).Error);
        Assert.Equal(GroupError.None, small.Now(small.Join(members[0])).Error);
    }

    [Fact]
    public void The_first_rebalance_waits_for_others_while_they_keep_coming()
    {
        var patient = new GroupFixture(new() { InitialRebalanceDelay = TimeSpan.FromSeconds(3) });
        var first = patient.Join(version: 3);
        patient.Time.Advance(2_000);
        var second = patient.Join(version: 3);
        patient.Time.Advance(2_000);
        Assert.False(first.IsCompleted);
        patient.Time.Advance(2_010);
        Assert.Equal(1, patient.Now(first).Generation);
        Assert.Equal(1, patient.Now(second).Generation);
        Assert.Equal(2, patient.Now(first).Members.Count);
    }

    [Fact]
    public void A_new_member_that_falls_silent_while_it_waits_is_dropped_after_five_minutes()
    {
        var slow = g.Now(g.Join(version: 3, session: 1_800_000, rebalance: 1_800_000));
        var lost = g.Join(version: 3, session: 6_000);
        g.Time.Advance(300_010);
        Assert.Equal(GroupError.UnknownMemberId, g.Now(lost).Error);
        Assert.Single(g.Now(g.Join(slow.MemberId)).Members);
    }

    [Fact]
    public void A_join_is_answered_only_when_its_generation_is_durable()
    {
        var id = g.NewMemberId();
        g.Store.Hold();
        var join = g.Join(id);
        Assert.False(join.IsCompleted);
        g.Store.Release();
        Assert.Equal(1, g.Now(join).Generation);
    }

    [Fact]
    public void A_generation_that_could_not_be_kept_is_not_handed_out()
    {
        var id = g.NewMemberId();
        g.Store.Refusing = true;
        Assert.Equal(GroupError.CoordinatorNotAvailable, g.Now(g.Join(id)).Error);
        g.Store.Refusing = false;
        Assert.Equal(2, g.Now(g.Join(id)).Generation);
    }

    [Fact]
    public async Task Who_waits_is_answered_when_the_broker_stops()
    {
        g.Stable();
        var waiting = g.Join(g.NewMemberId());
        await g.Coordinator.DisposeAsync();
        Assert.Equal(GroupError.CoordinatorNotAvailable, (await waiting).Error);
        Assert.Equal(GroupError.CoordinatorNotAvailable, (await g.Join()).Error);
    }
}
