using IotGateway.Broker.Groups;
using IotGateway.Broker.Tests.Groups;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Broker.Tests;

/// <summary>The time that what is kept is dated by, while the machine's clock is set, stops and starts.</summary>
public sealed class SteadyClockTests
{
    readonly ManualTime _time = new();
    readonly MemoryGroupStore _store = new();

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(3650)]
    [InlineData(-3650)]
    public async Task A_clock_that_is_set_while_the_gateway_runs_changes_nothing(int days)
    {
        await using var clock = Open();
        var before = clock.Now;
        Assert.Equal(_time.GetUtcNow().ToUnixTimeMilliseconds(), before);
        _time.Set = TimeSpan.FromDays(days);
        Assert.Equal(before, clock.Now);
        _time.Advance(5_000);
        Assert.Equal(before + 5_000, clock.Now);
        Assert.Equal(_time.GetUtcNow().ToUnixTimeMilliseconds() - 5_000, clock.ToMachine(before));
    }

    [Theory]
    [InlineData(0.5, 0.5)] // a stop counts as long as it was,
    [InlineData(1, 1)]
    [InlineData(30, 1)] // but a day at most,
    [InlineData(-1, 0)] // and a clock set back nothing
    [InlineData(-20_000, 0)]
    public async Task Over_a_stop_the_machines_clock_counts_up_to_a_day(double gone, double counts)
    {
        long last;
        await using (var clock = Open())
        {
            _time.Advance(TimeSpan.FromMinutes(1)); // kept
            last = clock.Now;
        }
        _time.Set = TimeSpan.FromDays(gone);
        await using (var clock = Open()) Assert.Equal(last + (long)TimeSpan.FromDays(counts).TotalMilliseconds, clock.Now);
    }

    [Fact]
    public async Task It_is_kept_every_hour_and_a_full_log_is_tried_again()
    {
        await using var clock = Open();
        Assert.Equal(0, _store.Commits); // a start does not wait for it
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, _store.Commits);
        _store.Refusing = true;
        _time.Advance(TimeSpan.FromHours(2));
        _store.Refusing = false;
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(4, _store.Commits);
        _time.Set = TimeSpan.FromDays(-1);
        await using var next = Open();
        Assert.Equal(clock.Now, next.Now);
    }

    SteadyClock Open() => new(_store, _time, NullLogger.Instance);
}
