using System.Globalization;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>The machine's clock is set, to either side, by seconds to years, while the log runs and while it does not: what nobody has read yet stays, and so does the order.</summary>
public sealed class ClockJumpTests
{
    const int Records = 40;
    readonly ManualTime _time = new();
    readonly SimulatedDisk _disk = new();

    /// <summary>Seconds; DST, a day, and both ends of what a clock without a battery says.</summary>
    public static TheoryData<long> Jumps { get; } = [-1, 1, -61, 61, -3600, 3600, -86_400, 86_400, -315_360_000, 315_360_000, -1_600_000_000];

    [Theory, MemberData(nameof(Jumps))]
    public async Task A_jump_deletes_nothing_by_age_and_time_that_really_passes_does(long seconds)
    {
        await using var log = await OpenAsync();
        var topic = await FilledAsync(log);
        _time.Jump(TimeSpan.FromSeconds(seconds));
        Assert.Equal(0, await log.ApplyRetentionAsync(default));
        await AppendAsync(topic, "after");
        Assert.Equal(0, await log.ApplyRetentionAsync(default));
        Assert.Equal(0, topic.LogStart);
        Assert.Equal(Records + 1, (await topic.ValuesAsync()).Count);
        _time.Advance(TimeSpan.FromHours(2) + TimeSpan.FromMinutes(3)); // a jump below a minute is none
        await log.ApplyRetentionAsync(default);
        Assert.Equal(Records + 1, topic.LogStart);
    }

    [Theory, MemberData(nameof(Jumps))]
    public async Task A_jump_while_the_log_is_stopped_deletes_nothing_that_a_sink_still_needs(long seconds)
    {
        await using (var log = await OpenAsync()) await FilledAsync(log);
        _time.Jump(TimeSpan.FromSeconds(seconds));
        await using (var log = await OpenAsync())
        {
            var topic = log.Find("t")!.Partitions[0];
            log.Pins = [new("cloud", TimeSpan.FromDays(2), p => p == topic ? 0 : null)];
            await log.ApplyRetentionAsync(default);
            await log.KeepSpaceAsync(default);
            Assert.Equal(0, topic.LogStart);
            Assert.Equal(Records, (await topic.ValuesAsync()).Count);
            _time.Jump(TimeSpan.FromSeconds(-seconds)); // and is set right
            await log.ApplyRetentionAsync(default);
            Assert.Equal(0, topic.LogStart);
        }
    }

    [Fact]
    public async Task Devices_with_old_clocks_lose_nothing_when_this_machines_clock_goes_back()
    {
        await using var log = await OpenAsync();
        var topic = await FilledAsync(log, stamp: 946_684_800_000); // the year 2000
        _time.Jump(TimeSpan.FromDays(-30));
        Assert.Equal(0, await log.ApplyRetentionAsync(default));
        Assert.Equal(0, topic.LogStart);
    }

    [Fact]
    public async Task Two_hundred_jumps_at_random_keep_the_order_the_records_and_the_ages()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var log = await OpenAsync();
        var topic = await FilledAsync(log);
        var (written, story) = (Records, new List<string>());
        for (var i = 0; i < 200; i++)
        {
            var years = random.NextDouble() * Math.Pow(10, random.Next(-8, 2));
            _time.Jump(TimeSpan.FromDays(365 * years * (random.Next(2) == 0 ? -1 : 1) % 7000));
            await AppendAsync(topic, string.Create(CultureInfo.InvariantCulture, $"jump {i}"));
            written++;
            story.Add(string.Create(CultureInfo.InvariantCulture, $"{_time.GetUtcNow():O}"));
            if (random.Next(10) == 0)
            {
                await log.DisposeAsync();
                story.Add("restart");
                log = await OpenAsync();
                topic = log.Find("t")!.Partitions[0];
            }
            log.Pins = [new("cloud", TimeSpan.FromDays(300), p => p == topic ? 0 : null)];
            await log.ApplyRetentionAsync(default);
            Assert.True(topic.LogStart == 0, string.Join('\n', story));
            Assert.Equal(Enumerable.Range(0, written).Select(n => (long)n), (await topic.RecordsAsync()).Select(r => r.Offset));
        }
        await log.DisposeAsync();
        Assert.Empty(Inspection.LogInspector.Verify("/data", _disk, default).Findings);
    }

    async Task<Partition> FilledAsync(LogStore log, long? stamp = null)
    {
        var settings = new Dictionary<string, string> { ["segment.bytes"] = "1000", ["retention.ms"] = "7200000" };
        var topic = (await log.CreateTopicAsync("t", 1, new() { Settings = settings }, default)).Partitions[0];
        for (var i = 0; i < Records; i++)
        {
            await AppendAsync(topic, new string('x', 100), stamp);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        return topic;
    }

    async Task AppendAsync(Partition topic, string value, long? stamp = null)
    {
        var unit = new LogUnit();
        unit.Append(topic, Batches.At(stamp ?? _time.GetUtcNow().ToUnixTimeMilliseconds(), value));
        Assert.Equal(AppendError.None, (await topic.Store.CommitAsync(unit, default))[0].Error);
    }

    Task<LogStore> OpenAsync() => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, _time, _disk, default);
}
