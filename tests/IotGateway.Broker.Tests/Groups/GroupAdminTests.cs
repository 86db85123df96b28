using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>DescribeGroups, ListGroups and DeleteGroups.</summary>
public sealed class GroupAdminTests : IAsyncDisposable
{
    readonly GroupFixture g = new();

    public ValueTask DisposeAsync() => g.DisposeAsync();

    [Fact]
    public void A_stable_group_is_described_with_its_assignments()
    {
        var (_, members) = g.Stable(2);
        var described = Assert.Single(g.Coordinator.Describe([GroupFixture.GroupId], 6));
        Assert.Equal((GroupError.None, "Stable", "consumer", "range"), (described.Error, described.State, described.ProtocolType, described.Protocol));
        Assert.Equal([(members[0], "m", "a0"), (members[1], "m", "a1")],
            described.Members.Select(m => (m.MemberId, GroupFixture.Text(m.Metadata), GroupFixture.Text(m.Assignment))));
        Assert.Equal(("app", "/127.0.0.1"), (described.Members[0].ClientId, described.Members[0].ClientHost));
    }

    /// <summary>Timers come some milliseconds late; whoever asks is told what is.</summary>
    [Fact]
    public async Task A_group_whose_last_session_ends_now_is_empty_before_the_timer_says_so()
    {
        g.Stable();
        g.Time.Advance(GroupFixture.Session - 1);
        Assert.Equal("Stable", g.Coordinator.Describe([GroupFixture.GroupId], 5)[0].State);
        Assert.Equal(GroupError.NonEmptyGroup, (await g.Coordinator.DeleteGroupsAsync([GroupFixture.GroupId]))[0].Error);
        g.Time.Advance(1);
        Assert.Equal(GroupError.None, (await g.Coordinator.DeleteGroupsAsync([GroupFixture.GroupId]))[0].Error);
    }

    [Fact]
    public void Describing_and_listing_tell_a_session_that_ends_now()
    {
        g.Stable();
        g.Time.Advance(GroupFixture.Session);
        Assert.Equal("Empty", Assert.Single(g.Coordinator.List([], [])).State);
        Assert.Equal("Empty", g.Coordinator.Describe([GroupFixture.GroupId], 5)[0].State);
    }

    [Fact]
    public void A_group_in_a_rebalance_is_described_with_its_last_assignments_and_without_metadata()
    {
        g.Stable();
        g.Join(g.NewMemberId());
        var described = g.Coordinator.Describe([GroupFixture.GroupId], 5)[0];
        Assert.Equal(("PreparingRebalance", ""), (described.State, described.Protocol));
        Assert.Equal(["a0", ""], described.Members.Select(member => GroupFixture.Text(member.Assignment)));
        Assert.All(described.Members, member => Assert.Equal(0, member.Metadata.Length));
    }

    [Fact]
    public void A_group_that_is_not_there_is_dead_up_to_version_5_and_not_found_from_6()
    {
        var old = g.Coordinator.Describe(["none"], 5)[0];
        Assert.Equal((GroupError.None, "Dead"), (old.Error, old.State));
        var current = g.Coordinator.Describe(["none"], 6)[0];
        Assert.Equal((GroupError.GroupIdNotFound, "Group none not found."), (current.Error, current.ErrorMessage));
    }

    [Fact]
    public async Task Groups_are_listed_by_state_and_type()
    {
        g.Stable();
        await g.CommitAsync(1, group: "simple");
        Assert.Equal([new(GroupFixture.GroupId, "consumer", "Stable", "classic"), new("simple", "", "Empty", "classic")], g.Coordinator.List([], []));
        Assert.Equal("simple", Assert.Single(g.Coordinator.List(["empty"], ["Classic"])).GroupId);
        Assert.Empty(g.Coordinator.List([], ["consumer"]));
        Assert.Empty(g.Coordinator.List(["nonsense"], []));
    }

    [Fact]
    public async Task Only_empty_groups_can_be_deleted()
    {
        var (_, members) = g.Stable();
        await g.CommitAsync(1, group: "simple");
        var deleted = await g.Coordinator.DeleteGroupsAsync([GroupFixture.GroupId, "simple", "none", ""]);
        Assert.Equal([GroupError.NonEmptyGroup, GroupError.None, GroupError.GroupIdNotFound, GroupError.GroupIdNotFound], deleted.Select(d => d.Error));
        g.Leave((members[0], null));
        Assert.Equal(GroupError.None, (await g.Coordinator.DeleteGroupsAsync([GroupFixture.GroupId]))[0].Error);
        Assert.Empty(g.Coordinator.List([], []));
        Assert.Equal(0, g.Store.Count("groups.offsets") + g.Store.Count("groups.classic"));
        await g.RestartAsync();
        Assert.Empty(g.Coordinator.List([], []));
    }

    [Fact]
    public async Task A_group_deleted_while_a_commit_is_under_way_is_gone_altogether()
    {
        await g.CommitAsync(1);
        g.Store.Hold();
        var commit = g.CommitAsync(2, topic: "ovens");
        var delete = g.Coordinator.DeleteGroupsAsync([GroupFixture.GroupId]);
        Assert.Equal(GroupError.CoordinatorLoadInProgress, await g.CommitAsync(3));
        Assert.Equal(GroupError.CoordinatorLoadInProgress, g.Now(g.Join()).Error);
        g.Store.Release();
        Assert.Equal(GroupError.None, await commit);
        Assert.Equal(GroupError.None, (await delete)[0].Error);
        Assert.Equal(0, g.Store.Count("groups.offsets"));
        Assert.Equal(GroupError.None, await g.CommitAsync(4));
        Assert.Equal(4, g.Fetch());
    }

    [Fact]
    public async Task A_deletion_that_failed_leaves_the_group_as_it_was()
    {
        await g.CommitAsync(1);
        g.Store.Refusing = true;
        Assert.Equal(GroupError.CoordinatorNotAvailable, (await g.Coordinator.DeleteGroupsAsync([GroupFixture.GroupId]))[0].Error);
        g.Store.Refusing = false;
        Assert.Equal(1, g.Fetch());
        Assert.Equal(GroupError.None, await g.CommitAsync(2));
    }
}
