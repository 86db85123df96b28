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

    [Theory, MemberData(nameof(Jumps))]
    public async Task A_jump_makes_no_repetition_a_new_batch(long seconds)
    {
        var log = await OpenAsync();
        await log.CreateTopicAsync("t", 1, new(), default);
        Assert.Equal((AppendError.None, 0), await RepeatAsync(log));
        for (var running = 0; running < 2; running++)
        {
            if (running == 0) _time.Jump(TimeSpan.FromSeconds(seconds));
            Assert.Equal((AppendError.DuplicateSequence, 0), await RepeatAsync(log));
            await log.DisposeAsync(); // a checkpoint, which forgets producers
            if (running == 1) _time.Jump(TimeSpan.FromSeconds(seconds));
            log = await OpenAsync();
            await log.DisposeAsync();
            log = await OpenAsync();
            _time.Advance(TimeSpan.FromMinutes(50));
            log.RequestCheckpoint();
        }
        Assert.Equal((AppendError.DuplicateSequence, 0), await RepeatAsync(log));
        // In time it is forgotten all the same, and so may begin anew.
        _time.Advance(TimeSpan.FromHours(25));
        await log.DisposeAsync();
        log = await OpenAsync();
        Assert.Equal((AppendError.None, 1), await RepeatAsync(log));
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_clock_set_back_puts_off_no_sync()
    {
        await using var log = await OpenAsync();
        var topic = (await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["iotgateway.durability"] = "interval:200ms" } }, default)).Partitions[0];
        await AppendAsync(topic, "before");
        _time.Jump(TimeSpan.FromHours(-1));
        for (var i = 0; topic.SizeBytes == 0; i++)
        {
            Assert.True(i < 1_000, "Not synced.");
            if (i < 300) _time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Delay(1);
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

    static async Task<(AppendError, long)> RepeatAsync(LogStore log)
    {
        var unit = new LogUnit();
        unit.Append(log.Find("t")!.Partitions[0], Batches.Idempotent(9, 0, 0, "once"));
        var result = (await log.CommitAsync(unit, default))[0];
        return (result.Error, result.BaseOffset);
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
