using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>Static members of KIP-848 groups.</summary>
public sealed class ConsumerStaticTests : IAsyncDisposable
{
    readonly GroupFixture g = new();

    public ValueTask DisposeAsync() => g.DisposeAsync();

    [Fact]
    public void A_static_member_that_comes_back_in_time_has_its_partitions_again_and_nobody_else_moves()
    {
        var (one, two) = Two();
        Assert.Equal((GroupError.None, -2), (one.Leave(-2) is var left ? left.Error : default, left.MemberEpoch));
        g.Time.Advance(40_000);
        Assert.Null(two.Beat(owned: false).Assignment);
        ConsumerClient back = new(g, "one again", "i1");
        Assert.Equal((GroupError.None, one.Epoch), (back.Join().Error, back.Epoch));
        Assert.Equal(one.Has, back.Has);
    }

    [Fact]
    public void A_static_member_that_stays_away_loses_its_partitions_with_its_session()
    {
        var (one, two) = Two();
        one.Leave(-2);
        g.Time.Advance(40_000);
        two.Follow();
        g.Time.Advance(6_000);
        two.Follow();
        Assert.Equal(4, two.Has.Length);
    }

    [Fact]
    public void An_instance_id_in_use_is_not_given_away()
    {
        var (one, _) = Two();
        Assert.Equal(GroupError.UnreleasedInstanceId, new ConsumerClient(g, "twin", "i1").Join().Error);
        Assert.Equal(GroupError.None, one.Beat().Error);
    }

    [Fact]
    public void The_former_holder_of_an_instance_id_is_fenced()
    {
        var (one, _) = Two();
        one.Leave(-2);
        new ConsumerClient(g, "new", "i1").Join();
        Assert.Equal(GroupError.FencedInstanceId, one.Beat().Error);
        Assert.Equal(GroupError.FencedInstanceId, one.Leave().Error);
    }

    [Fact]
    public void An_instance_nobody_knows_must_join_first()
    {
        Two();
        Assert.Equal(GroupError.UnknownMemberId, new ConsumerClient(g, "x", "i9") { Epoch = 1 }.Beat().Error);
    }

    [Fact]
    public void A_static_member_that_leaves_for_good_gives_its_partitions_away_at_once()
    {
        var (one, two) = Two();
        one.Leave();
        two.Follow();
        Assert.Equal(4, two.Has.Length);
    }

    [Fact]
    public async Task Away_members_survive_a_restart_of_the_broker()
    {
        var (one, _) = Two();
        one.Leave(-2);
        await g.RestartAsync();
        ConsumerClient back = new(g, "back", "i1");
        back.Join();
        Assert.Equal(one.Has, back.Has);
    }

    (ConsumerClient One, ConsumerClient Two) Two()
    {
        ConsumerClient one = new(g, "one", "i1"), two = new(g, "two", "i2");
        one.Join();
        two.Join();
        for (var i = 0; i < 3; i++)
        {
            one.Follow();
            two.Follow();
        }
        Assert.Equal((2, 2), (one.Has.Length, two.Has.Length));
        return (one, two);
    }
}
