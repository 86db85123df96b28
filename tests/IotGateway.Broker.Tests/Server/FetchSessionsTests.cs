using IotGateway.Broker.Server;

namespace IotGateway.Broker.Tests.Server;

public sealed class FetchSessionsTests
{
    [Fact]
    public void When_full_only_a_session_at_rest_gives_way()
    {
        var clock = new ManualClock();
        var sessions = new FetchSessions(clock);
        var first = sessions.Create(false)!;
        for (var i = 1; i < 1000; i++) Assert.NotNull(sessions.Create(false));
        clock.Advance(TimeSpan.FromSeconds(119));
        Assert.Null(sessions.Create(false));
        Assert.NotNull(sessions.Find(first.Id)); // used: no longer the oldest
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(sessions.Create(false));
        Assert.Equal(1000, sessions.Count);
        Assert.NotNull(sessions.Find(first.Id));
    }

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
