using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>Joining, reconciliation and leaving by the consumer protocol (KIP-848).</summary>
public sealed class ConsumerGroupTests : IAsyncDisposable
{
    readonly GroupFixture g = new();

    public ValueTask DisposeAsync() => g.DisposeAsync();

    [Fact]
    public void The_first_member_gets_everything_at_once()
    {
        var one = Client("one");
        var joined = one.Join(["presses", "ovens", "not there"]);
        Assert.Equal((GroupError.None, "one", 2, 5_000), (joined.Error, joined.MemberId, joined.MemberEpoch, joined.HeartbeatIntervalMs));
        Assert.Equal(["ovens-0", "ovens-1", "presses-0", "presses-1", "presses-2", "presses-3"], one.Has);
        Assert.Equal("Stable", Describe().State);
        Assert.Null(one.Beat(owned: false).Assignment);
    }

    [Fact]
    public void A_partition_changes_hands_only_after_it_was_given_up()
    {
        var (one, two) = (Client("one"), Client("two"));
        one.Join();
        Assert.Equal(3, two.Join().MemberEpoch);
        Assert.Empty(two.Has);

        var revoke = one.Beat();
        Assert.Equal(2, revoke.MemberEpoch); // still in its epoch: has yet to give up
        Assert.Equal(2, revoke.Assignment![0].Partitions.Count);
        Assert.Null(two.Beat().Assignment);
        Assert.Equal("Reconciling", Describe().State);

        one.Owned = revoke.Assignment;
        Assert.Equal(3, one.Follow().MemberEpoch);
        two.Follow();
        Assert.Equal(["presses-0", "presses-1", "presses-2", "presses-3"], one.Has.Concat(two.Has).Order());
        Assert.Equal((2, 2), (one.Has.Length, two.Has.Length));
        Assert.Equal("Stable", Describe().State);
    }

    [Fact]
    public void Who_does_not_give_up_within_its_rebalance_timeout_is_fenced()
    {
        var (one, two) = (Client("one"), Client("two"));
        one.Join();
        two.Join();
        one.Beat();
        for (var i = 0; i < 3; i++)
        {
            g.Time.Advance(20_010);
            two.Follow();
            if (i < 2) Assert.Equal(GroupError.None, one.Beat().Error);
        }
        Assert.Equal(GroupError.UnknownMemberId, one.Beat().Error);
        two.Follow();
        Assert.Equal(4, two.Has.Length);
    }

    [Fact]
    public void A_silent_member_is_lost_when_its_session_ends()
    {
        var (one, two) = (Client("one"), Client("two"));
        one.Join();
        two.Join();
        g.Time.Advance(44_000);
        two.Follow();
        g.Time.Advance(2_000);
        two.Follow();
        Assert.Equal(4, two.Has.Length);
        Assert.Equal(GroupError.UnknownMemberId, one.Beat().Error);
    }

    [Fact]
    public void A_session_and_an_interval_set_for_the_group_hold_from_the_next_heartbeat_on()
    {
        var (one, two) = (Client("one"), Client("two"));
        one.Join();
        g.Coordinator.Settings.Set(GroupFixture.GroupId, new Dictionary<string, string> { [GroupSettings.SessionTimeout] = "10000", [GroupSettings.HeartbeatInterval] = "2000" });
        Assert.Equal(2_000, one.Beat().HeartbeatIntervalMs);
        two.Join();
        g.Time.Advance(9_000);
        Assert.Equal(GroupError.None, two.Beat().Error);
        g.Time.Advance(2_000);
        Assert.Equal(GroupError.UnknownMemberId, one.Beat().Error); // silent for 11 s
        Assert.Equal(GroupError.None, two.Beat().Error);
        g.Coordinator.Settings.Set(GroupFixture.GroupId, new Dictionary<string, string>());
        Assert.Equal(5_000, two.Beat().HeartbeatIntervalMs);
        g.Time.Advance(44_000);
        Assert.Equal(GroupError.None, two.Beat().Error);
    }

    [Fact]
    public void Leaving_gives_the_partitions_to_the_others()
    {
        var (one, two) = (Client("one"), Client("two"));
        one.Join();
        two.Join();
        Assert.Equal((GroupError.None, -1), (one.Leave().Error, -1));
        two.Follow();
        Assert.Equal(4, two.Has.Length);
        two.Leave();
        Assert.Equal("Empty", Describe().State);
        Assert.Equal(GroupError.UnknownMemberId, one.Leave().Error);
    }

    [Fact]
    public void An_epoch_that_does_not_fit_is_fenced()
    {
        var one = Client("one");
        one.Join();
        one.Epoch = 9;
        Assert.Equal(GroupError.FencedMemberEpoch, one.Beat().Error);
        one.Epoch = 2;
        Client("two").Join();
        one.Follow();
        one.Follow();
        Assert.Equal(3, one.Epoch);
        Client("three").Join();
        one.Follow();
        one.Follow();
        one.Epoch = 2;
        Assert.Equal(GroupError.FencedMemberEpoch, one.Beat().Error);
        Assert.Equal(GroupError.None, one.Join().Error); // starts anew
    }

    [Fact]
    public void A_member_that_missed_the_answer_with_its_new_epoch_is_told_again()
    {
        var (one, two) = (Client("one"), Client("two"));
        one.Join();
        two.Join();
        one.Follow();
        one.Owned = one.Told ?? one.Owned;
        g.Now(g.Coordinator.ConsumerHeartbeatAsync(one.BeatCall())); // lost
        var again = one.Send(one.FullCall());
        Assert.Equal((GroupError.None, 3), (again.Error, again.MemberEpoch));
        Assert.Equal(2, again.Assignment![0].Partitions.Count);
        one.Epoch = 2;
        Assert.Equal(GroupError.FencedMemberEpoch, one.Beat(owned: false).Error);
    }

    [Fact]
    public void A_new_topic_and_new_partitions_reach_the_members()
    {
        var one = Client("one");
        one.Join(["presses", "lathes"]);
        Assert.Equal(4, one.Has.Length);
        g.Topics.Add("lathes", 1);
        g.Topics.Add("presses", 6);
        Assert.Equal(3, one.Follow().MemberEpoch);
        Assert.Equal(7, one.Has.Length);
        g.Topics.Remove("presses");
        one.Follow();
        one.Follow();
        Assert.Equal(["lathes-0"], one.Has);
    }

    [Fact]
    public void A_changed_subscription_takes_effect_with_the_heartbeat_that_brings_it()
    {
        var one = Client("one");
        one.Join();
        one.Send(one.BeatCall() with { SubscribedTopicNames = ["ovens"] });
        one.Owned = one.Told!;
        one.Follow();
        Assert.Equal(["ovens-0", "ovens-1"], one.Has);
        Assert.Equal("Stable", Describe().State);
    }

    [Fact]
    public void A_regular_expression_subscribes_to_what_it_matches_as_topics_come()
    {
        var one = Client("one");
        one.Join(regex: "press.*|furn[[:alpha:]]+");
        Assert.Equal(4, one.Has.Length);
        g.Topics.Add("furnaces", 1);
        g.Topics.Add("impress", 1);
        one.Follow();
        Assert.Equal(["furnaces-0", "presses-0", "presses-1", "presses-2", "presses-3"], one.Has);
        Assert.Equal("press.*|furn[[:alpha:]]+", Describe().Members[0].SubscribedTopicRegex);
    }

    [Fact]
    public void A_bad_regular_expression_is_refused()
    {
        Assert.Equal(GroupError.InvalidRegularExpression, Client("one").Join(regex: "(").Error);
        Assert.Equal(GroupError.InvalidRegularExpression, Client("one").Join(regex: @"(a)\1").Error);
    }

    [Fact]
    public void An_unknown_assignor_is_refused_and_the_majority_chooses()
    {
        Assert.Equal(GroupError.UnsupportedAssignor, Client("one").Join(assignor: "magic").Error);
        Client("one").Join(assignor: "range");
        Assert.Equal("range", Describe().AssignorName);
        Client("two").Join(assignor: "uniform");
        Client("three").Join(assignor: "uniform");
        Assert.Equal("uniform", Describe().AssignorName);
    }

    [Fact]
    public void A_full_group_takes_nobody_more()
    {
        GroupFixture small = new(new() { ConsumerMaxSize = 1 });
        ConsumerClient one = new(small, "one");
        one.Join();
        Assert.Equal(GroupError.GroupMaxSizeReached, new ConsumerClient(small, "two").Join().Error);
        Assert.Equal(GroupError.None, one.Join().Error);
    }

    [Fact]
    public void Who_is_not_known_must_join_first()
    {
        var one = Client("one");
        one.Epoch = 3;
        Assert.Equal(GroupError.GroupIdNotFound, one.Beat().Error);
        Client("two").Join();
        Assert.Equal(GroupError.UnknownMemberId, one.Beat().Error);
    }

    [Fact]
    public void Requests_that_make_no_sense_are_refused()
    {
        var call = Client("one").JoinCall();
        foreach (var bad in new[]
        {
            call with { GroupId = "" }, call with { MemberId = "" }, call with { InstanceId = "" }, call with { RackId = "" },
            call with { MemberEpoch = -3 }, call with { MemberEpoch = -2 }, call with { RebalanceTimeoutMs = -1 },
            call with { OwnedPartitions = null }, call with { SubscribedTopicNames = null },
        })
        {
            Assert.Equal(GroupError.InvalidRequest, g.Now(g.Coordinator.ConsumerHeartbeatAsync(bad)).Error);
        }
        var made = g.Now(g.Coordinator.ConsumerHeartbeatAsync(call with { ApiVersion = 0, MemberId = "" }));
        Assert.Equal(GroupError.None, made.Error);
        Assert.NotEmpty(made.MemberId!);
    }

    [Fact]
    public void A_heartbeat_is_answered_only_when_what_it_says_is_durable()
    {
        g.Store.Hold();
        var join = g.Coordinator.ConsumerHeartbeatAsync(Client("one").JoinCall());
        Assert.False(join.IsCompleted);
        g.Store.Release();
        Assert.Equal(2, g.Now(join).MemberEpoch);
    }

    [Fact]
    public async Task What_could_not_be_written_is_written_with_the_next_heartbeat()
    {
        var one = Client("one");
        g.Store.Refusing = true;
        Assert.Equal(GroupError.CoordinatorNotAvailable, one.Join().Error);
        g.Store.Refusing = false;
        Assert.Equal(GroupError.None, one.Join().Error);
        await g.RestartAsync();
        Assert.Equal(GroupError.None, one.Beat().Error);
        Assert.Equal(4, Assert.Single(Describe().Members).Assignment[0].Partitions.Count);
    }

    [Fact]
    public async Task A_restart_loses_neither_epochs_nor_assignments()
    {
        var (one, two) = (Client("one"), Client("two", "press"));
        one.Join(regex: "presses");
        two.Join(["presses", "ovens"]);
        for (var i = 0; i < 3; i++) (one.Follow(), two.Follow()).ToString();
        var before = Describe();
        await g.RestartAsync();
        Assert.Equivalent(before, Describe());
        Assert.Equal((GroupError.None, two.Epoch), (two.Follow().Error, two.Epoch));
        Assert.Equal(before.GroupEpoch, Describe().GroupEpoch);
        g.Time.Advance(46_000);
        Assert.Equal(GroupError.UnknownMemberId, one.Beat().Error);
    }

    [Fact]
    public void Classic_members_and_consumers_do_not_mix()
    {
        Client("one").Join();
        Assert.Equal(GroupError.InconsistentGroupProtocol, g.Now(g.Join()).Error);
        Assert.Equal(GroupError.UnknownMemberId, g.Beat(1, "one"));
        Assert.Equal(GroupError.GroupIdNotFound, g.Coordinator.Describe([GroupFixture.GroupId], 6)[0].Error);
    }

    [Fact]
    public async Task An_empty_group_changes_its_protocol_and_keeps_its_offsets()
    {
        var (_, members) = g.Stable();
        Assert.Equal(GroupError.GroupIdNotFound, Client("one").Join().Error);
        await g.CommitAsync(42, 1, members[0]);
        g.Leave((members[0], null));
        var one = Client("one");
        Assert.Equal(GroupError.None, one.Join().Error);
        Assert.Equal(42, g.Fetch());
        Assert.Equal(new(GroupFixture.GroupId, "consumer", "Stable", "consumer"), Assert.Single(g.Coordinator.List([], [])));
        await g.RestartAsync();
        Assert.Equal(GroupError.None, one.Beat().Error);
        one.Leave();
        g.Stable();
        await g.RestartAsync();
        Assert.Equal("Stable", g.State());
        Assert.Equal(42, g.Fetch());
    }

    [Fact]
    public void A_classic_member_that_only_has_an_id_yet_does_not_hold_the_group()
    {
        var id = g.NewMemberId();
        Assert.Equal(GroupError.None, Client("one").Join().Error);
        Assert.Equal(GroupError.InconsistentGroupProtocol, g.Now(g.Join(id)).Error);
    }

    [Fact]
    public void Describe_says_what_is_and_what_is_to_be()
    {
        var (one, two) = (Client("one"), Client("two"));
        one.Join();
        two.Join();
        var described = Describe();
        Assert.Equal((3, 3, "uniform", "Reconciling"), (described.GroupEpoch, described.AssignmentEpoch, described.AssignorName, described.State));
        Assert.Equal(4, described.Members[0].Assignment[0].Partitions.Count);
        Assert.Equal((2, "presses"), (described.Members[0].TargetAssignment[0].Partitions.Count, described.Members[0].TargetAssignment[0].TopicName));
        Assert.Equal(GroupError.GroupIdNotFound, g.Coordinator.DescribeConsumers(["none"])[0].Error);
    }

    ConsumerClient Client(string id, string? instance = null) => new(g, id, instance);

    DescribedConsumerGroup Describe() => g.Coordinator.DescribeConsumers([GroupFixture.GroupId])[0];
}
