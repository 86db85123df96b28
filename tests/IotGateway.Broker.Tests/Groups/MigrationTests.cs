using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>A group in use that moves between the protocols, member by member (KIP-848, "Migration").</summary>
public sealed class MigrationTests : IAsyncDisposable
{
    static readonly string[] All = ["presses-0", "presses-1", "presses-2", "presses-3"];
    static readonly (string, int)[] Everything = [.. Enumerable.Range(0, 4).Select(i => ("presses", i))];
    readonly GroupFixture g = new();

    public ValueTask DisposeAsync() => g.DisposeAsync();

    [Theory, InlineData(true), InlineData(false)]
    public void The_first_consumer_by_the_new_protocol_shares_with_those_by_the_old(bool eager)
    {
        var (old, young) = (new ClassicConsumer(g, eager), new ConsumerClient(g, "young"));
        old.JoinAlone(Everything);
        Assert.Equal("Stable", g.State());
        young.Join();
        Assert.Empty(young.Has); // the other has everything still
        Assert.Equal(GroupError.RebalanceInProgress, old.Beat());
        old.Join();
        young.Follow();
        Assert.Equal((2, 2), (old.Has.Length, young.Has.Length));
        Assert.Equal(All, old.Has.Concat(young.Has).Order());
        Assert.Equal(GroupError.None, old.Beat());
        var described = Assert.Single(g.Coordinator.DescribeConsumers([GroupFixture.GroupId]));
        Assert.Equal("Stable", described.State);
        Assert.Equal([false, true], described.Members.Select(member => member.IsClassic).Order());
    }

    [Fact]
    public async Task Offsets_are_committed_by_both_kinds_under_their_own_epochs()
    {
        var (old, young) = (new ClassicConsumer(g), new ConsumerClient(g, "young"));
        old.JoinAlone(Everything);
        Assert.Equal(GroupError.None, await g.CommitAsync(10, old.Generation, old.MemberId));
        young.Join();
        Assert.Equal(GroupError.None, await g.CommitAsync(11, old.Generation, old.MemberId, version: 8));
        old.Follow();
        young.Follow();
        Assert.Equal(GroupError.None, await g.CommitAsync(12, old.Generation, old.MemberId, version: 8));
        Assert.Equal(GroupError.IllegalGeneration, await g.CommitAsync(13, old.Generation - 1, old.MemberId, version: 8));
        Assert.Equal(GroupError.None, await g.CommitAsync(14, young.Epoch, young.MemberId, version: 9));
        Assert.Equal(14, g.Fetch());
    }

    [Fact]
    public void When_the_last_by_the_new_protocol_leaves_the_group_is_a_classic_one_again()
    {
        var (one, two, young) = (new ClassicConsumer(g, eager: true), new ClassicConsumer(g, eager: true), new ConsumerClient(g, "young"));
        one.JoinAlone(Everything);
        young.Join();
        one.Follow();
        two.Join();
        Settle(young, one, two);
        Assert.Equal(All, one.Has.Concat(two.Has).Concat(young.Has).Order());

        Assert.Equal(GroupError.None, young.Leave().Error);
        Assert.Equal("PreparingRebalance", g.State());
        Assert.NotEqual(GroupError.None, one.Beat());
        var joins = new[] { one.JoinAsync(), two.JoinAsync() };
        Assert.All(joins, join => Assert.Equal(GroupError.None, g.Now(join).Error));
        Assert.Equal(2, joins.Select(join => g.Now(join).Members.Count).Max());
    }

    [Fact]
    public void A_classic_member_that_is_silent_is_lost_and_the_others_get_its_partitions()
    {
        var (old, young) = (new ClassicConsumer(g), new ConsumerClient(g, "young"));
        old.JoinAlone(Everything);
        young.Join();
        g.Time.Advance(GroupFixture.Session + 10);
        young.Follow();
        Assert.Equal(All, young.Has);
        Assert.Equal(GroupError.UnknownMemberId, old.Beat());
    }

    [Fact]
    public void A_classic_member_that_does_not_join_again_in_time_is_lost()
    {
        var (old, young) = (new ClassicConsumer(g), new ConsumerClient(g, "young"));
        old.JoinAlone(Everything);
        young.Join();
        for (var i = 0; i < GroupFixture.RebalanceTimeout / 5_000; i++)
        {
            Assert.Equal(GroupError.RebalanceInProgress, old.Beat());
            young.Follow();
            g.Time.Advance(5_000);
        }
        g.Time.Advance(10);
        Assert.Equal(GroupError.UnknownMemberId, old.Beat());
        young.Follow();
        Assert.Equal(All, young.Has);
    }

    [Fact]
    public void Members_of_both_protocols_leave_by_name()
    {
        var (old, young) = (new ClassicConsumer(g), new ConsumerClient(g, "young"));
        old.JoinAlone(Everything);
        young.Join();
        Assert.Equal(GroupError.None, g.Leave((old.MemberId, null)).Members[0].Error);
        young.Follow();
        Assert.Equal(All, young.Has);
        Assert.Equal(GroupError.None, g.Leave((young.MemberId, null)).Members[0].Error); // speaks the other protocol, and is removed all the same
        Assert.Equal(GroupError.UnknownMemberId, young.Beat().Error);
    }

    [Fact]
    public void A_static_member_keeps_its_partitions_when_it_comes_back_by_the_new_protocol()
    {
        var old = new ClassicConsumer(g, instanceId: "press-reader");
        old.JoinAlone(Everything);
        var young = new ConsumerClient(g, "young", "press-reader");
        young.Join();
        Assert.Equal(All, young.Has);
        Assert.Equal(GroupError.FencedInstanceId, old.Beat());
    }

    [Fact]
    public async Task Both_kinds_outlive_a_restart()
    {
        var (old, young) = (new ClassicConsumer(g), new ConsumerClient(g, "young"));
        old.JoinAlone(Everything);
        young.Join();
        old.Follow();
        young.Follow();
        await g.RestartAsync();
        Assert.Equal(GroupError.None, old.Beat());
        Assert.Equal(GroupError.None, young.Beat().Error);
        Assert.Equal(All, old.Has.Concat(young.Has).Order());
        young.Leave();
        await g.RestartAsync();
        Assert.Equal(GroupError.RebalanceInProgress, old.Beat());
        var joined = g.Now(old.JoinAsync());
        Assert.Equal((GroupError.None, old.MemberId), (joined.Error, joined.Leader));
    }

    [Fact]
    public void A_group_of_something_else_than_consumers_stays_as_it_is()
    {
        var id = g.NewMemberId();
        Assert.Equal(GroupError.None, g.Now(g.Join(id, metadata: "not a subscription")).Error);
        var refused = new ConsumerClient(g, "young").Join();
        Assert.Equal((GroupError.GroupIdNotFound, "CompletingRebalance"), (refused.Error, g.State()));
    }

    /// <summary>Members that come, go, crash and fall silent at random, of both kinds: no partition is with two that the broker knows, and in the end all are with one.</summary>
    [Theory, MemberData(nameof(Seeds))]
    public void No_partition_is_with_two_members_of_whichever_kind(int seed)
    {
        var random = new Random(seed);
        List<ClassicConsumer> olds = [];
        List<ConsumerClient> youngs = [new(g, "first")];
        youngs[0].Join(); // one stays all the time, so that the broker assigns
        for (var step = 0; step < 200; step++)
        {
            switch (random.Next(8))
            {
                case 0 when olds.Count < 3:
                    olds.Add(new(g, eager: seed % 2 == 0));
                    olds[^1].Join();
                    break;
                case 1 when youngs.Count < 3:
                    youngs.Add(new(g, $"y{step}"));
                    youngs[^1].Join();
                    break;
                case 2 when olds.Count > 0:
                    if (random.Next(2) == 0) g.Leave((olds[0].MemberId, null));
                    olds.RemoveAt(0); // else it crashed: the broker has yet to notice
                    break;
                case 3 when youngs.Count > 1:
                    youngs[1].Leave();
                    youngs.RemoveAt(1);
                    break;
                case 4:
                    g.Time.Advance(random.Next(3_000));
                    break;
                default:
                    foreach (var young in youngs) young.Follow();
                    foreach (var old in olds) old.Follow();
                    break;
            }
            var known = g.Coordinator.DescribeConsumers([GroupFixture.GroupId])[0].Members.Select(member => member.MemberId).ToHashSet();
            var held = olds.Where(old => known.Contains(old.MemberId)).SelectMany(old => old.Has).Concat(youngs.SelectMany(young => young.Has)).ToArray();
            Assert.True(held.Length == held.Distinct().Count(), $"Step {step}: {string.Join(' ', held.Order())}");
        }
        for (var i = 0; i < 12; i++)
        {
            g.Time.Advance(4_000); // the crashed are found out
            Settle(youngs, olds);
        }
        Assert.Equal(All, olds.SelectMany(old => old.Has).Concat(youngs.SelectMany(young => young.Has)).Order());
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 40)];

    static void Settle(ConsumerClient young, params ClassicConsumer[] olds) => Settle([young], olds);

    static void Settle(IReadOnlyList<ConsumerClient> youngs, IReadOnlyList<ClassicConsumer> olds)
    {
        for (var i = 0; i < 5; i++)
        {
            foreach (var young in youngs) young.Follow();
            foreach (var old in olds) old.Follow();
        }
    }
}
