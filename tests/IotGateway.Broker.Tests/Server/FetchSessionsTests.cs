using IotGateway.Broker.Server;

namespace IotGateway.Broker.Tests.Server;

public sealed class FetchSessionsTests
{
    [Fact]
    public void When_full_only_a_session_at_rest_gives_way()
    {
        var clock = new ManualClock();
        var sessions = new FetchSessions(clock);
        var first = sessions.Create(false, 1)!;
        for (var i = 1; i < 1000; i++) Assert.NotNull(sessions.Create(false, 1));
        clock.Advance(TimeSpan.FromSeconds(119));
        Assert.Null(sessions.Create(false, 1));
        Assert.NotNull(sessions.Find(first.Id)); // used: no longer the oldest
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(sessions.Create(false, 1));
        Assert.Equal(1000, sessions.Count);
        Assert.NotNull(sessions.Find(first.Id));
    }

    [Fact]
    public void Sessions_hold_a_bounded_number_of_partitions()
    {
        const int half = FetchSessions.MostPartitions / 2;
        var clock = new ManualClock();
        var sessions = new FetchSessions(clock);
        var first = sessions.Create(false, half)!;
        first.Update(Items(half), []);
        clock.Advance(TimeSpan.FromSeconds(100));
        var second = sessions.Create(false, half)!;
        second.Update(Items(half), []);
        Assert.Null(sessions.Create(false, 1)); // full, and neither is at rest
        Assert.False(sessions.RemoveTooLarge(second));
        second.Update(Items(half + 1), []);
        Assert.True(sessions.RemoveTooLarge(second)); // it grew
        Assert.Null(sessions.Find(second.Id));
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.NotNull(sessions.Create(false, FetchSessions.MostPartitions)); // the first has rested long enough
        Assert.Null(sessions.Create(false, FetchSessions.MostPartitions + 1));
    }

    static List<FetchItem> Items(int count) => [.. Enumerable.Range(0, count).Select(i => new FetchItem("t", Guid.Empty, i, 0, 1, -1, -1))];

    [Fact]
    public void Answers_on_their_way_leave_less_to_the_next_fetch()
    {
        using var sockets = new TransportMemory();
        var memory = new FetchMemory(8000, sockets);
        Assert.Equal(500, memory.Limit(500));
        Assert.Equal(1000, memory.Limit(5000));
        memory.Hold(9000);
        Assert.Equal(0, memory.Limit(5000));
        memory.Release(9000);
        Assert.Equal(1000, memory.Limit(5000));
        using (sockets.Rent()) Assert.Equal(0, memory.Limit(5000));
        Assert.Equal(1000, memory.Limit(5000));
    }

    [Fact]
    public void The_same_problem_is_logged_once_a_minute()
    {
        var clock = new ManualClock();
        var throttle = new LogThrottle(clock);
        Assert.True(throttle.Allows("a", out _));
        Assert.False(throttle.Allows("a", out _));
        Assert.True(throttle.Allows("b", out _));
        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.True(throttle.Allows("a", out _));
    }
}
