namespace IotGateway.Log.Tests;

/// <summary>The time that ages are counted by, while the machine's clock is set, stops and starts.</summary>
public sealed class LogClockTests
{
    readonly ManualTime _time = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(3650)]
    [InlineData(-3650)]
    public void A_clock_that_is_set_changes_nothing(int days)
    {
        var clock = new LogClock(_time, null);
        var before = clock.Now;
        Assert.Equal(_time.GetUtcNow().ToUnixTimeMilliseconds(), before);
        _time.Jump(TimeSpan.FromDays(days));
        Assert.Equal(before, clock.Now);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(before + 5_000, clock.Now);
        Assert.Equal(_time.GetUtcNow().ToUnixTimeMilliseconds() - 5_000, clock.ToMachine(before));
    }

    [Theory]
    [InlineData(0.5, 0.5)] // a stop counts as long as it was,
    [InlineData(1, 1)]
    [InlineData(30, 1)] // but a day at most,
    [InlineData(-1, 0)] // and a clock set back nothing
    [InlineData(-18_000, 0)]
    public void Over_a_stop_the_machines_clock_counts_up_to_a_day(double gone, double counts)
    {
        var last = new LogClock(_time, null).Now;
        _time.Jump(TimeSpan.FromDays(gone));
        Assert.Equal(last + (long)TimeSpan.FromDays(counts).TotalMilliseconds, new LogClock(_time, last).Now);
    }
}
