using IotGateway.Log.Disk;
using IotGateway.Log.Inspection;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// Rules 7 and 8: what deletes — of records, by retention, of a topic — through a power cut or a kill at any step: it is done or not done, what stays is
/// whole, and in the end no file is left that nothing refers to.
/// </summary>
public sealed class DeletionTests
{
    readonly ManualTime _time = new();

    [Theory, InlineData("records"), InlineData("retention"), InlineData("topic")]
    public async Task A_deletion_cut_at_any_step_is_done_or_not_done_and_leaves_no_file_behind(string what)
    {
        var start = new SimulatedDisk();
        await using (var log = await OpenAsync(start))
        {
            var settings = new Dictionary<string, string> { ["segment.bytes"] = "1000", ["retention.ms"] = "60000" };
            var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = settings }, default)).Partitions[0];
            for (var i = 0; i < 30; i++) await AppendAsync(partition, $"{i:D3} {new string('x', 150)}");
        }
        var (steps, done, undone) = (0, 0, 0);
        for (var (cut, finished) = (0, false); !finished; cut++)
        {
            var disk = start.Crash(new Random(cut));
            var log = await OpenAsync(disk);
            disk.PowerOffAt = disk.Operations + cut;
            var acknowledged = false;
            try
            {
                await DeleteAsync(log, what);
                acknowledged = true;
                log.RequestCheckpoint();
            }
            catch (IOException) { }
            await log.DisposeAsync();
            finished = acknowledged && disk.Operations < disk.PowerOffAt;
            steps = cut;
            if (cut % 2 == 0) disk.Kill();
            else disk = disk.Crash(new Random(cut));
            await using (log = await OpenAsync(disk))
            {
                Assert.Empty(log.Quarantined);
                var gone = what == "topic" ? log.Find("t") is null : log.Find("t")!.Partitions[0].LogStart > 0;
                Assert.True(gone || !acknowledged, "What was acknowledged is undone.");
                _ = gone ? done++ : undone++;
                if (log.Find("t")?.Partitions[0] is { } partition)
                {
                    Assert.Equal(30, partition.HighWatermark);
                    Assert.Contains(partition.LogStart, what == "records" ? new long[] { 0, 17 } : [0, 28, 30]);
                    Assert.Equal(Enumerable.Range((int)partition.LogStart, 30 - (int)partition.LogStart).Select(i => $"{i:D3}"), (await partition.ValuesAsync()).Select(v => v[..3]));
                    await AppendAsync(partition, "more");
                }
                // In the end it is done, with all files; some seconds after a start leftovers are looked for.
                if (!gone) await DeleteAsync(log, what);
                _time.Advance(TimeSpan.FromMinutes(6));
                await log.ApplyRetentionAsync(default); // what is due has been done behind this
                log.RequestCheckpoint();
                var left = Leftovers(disk).ToList();
                for (var i = 0; i < 2000 && left.Count > 0; i++, left = [.. Leftovers(disk)]) await Task.Delay(5, TestContext.Current.CancellationToken);
                Assert.Empty(left);
            }
            Assert.Empty(LogInspector.Verify("/data", disk, default).Findings);
        }
        Assert.True(steps > 10 && done > 3 && undone > 0, $"{steps} steps were cut; done {done}, not done {undone}.");
    }

    [Theory, InlineData("records"), InlineData("retention"), InlineData("topic")]
    public async Task What_is_deleted_gives_its_space_back_though_nothing_else_is_written(string what)
    {
        using var directory = new TempDirectory();
        await using var log = await LogStore.OpenAsync(new() { Directory = directory.Path, WalBytes = 4 << 20 }, NullLogger.Instance, _time, new LinuxDisk(), default);
        var settings = new Dictionary<string, string> { ["segment.bytes"] = "1000", ["retention.ms"] = "60000" };
        var partition = (await log.CreateTopicAsync("t", 1, new() { Settings = settings }, default)).Partitions[0];
        for (var i = 0; i < 30; i++) await AppendAsync(partition, new string('x', 150));
        Assert.Equal(8, Files().Length);
        await DeleteAsync(log, what);
        var left = what == "topic" ? 0 : 4; // of "retention" the active one, which is closed first, and what is written on
        for (var i = 0; i < 2000 && Files().Length > left; i++) await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.InRange(Files().Length, 0, left);

        string[] Files() => Directory.GetFiles(directory.Path, "*.log*", SearchOption.AllDirectories).Where(f => f.Contains("/t-0", StringComparison.Ordinal)).ToArray();
    }

    [Fact]
    public async Task What_is_deleted_has_another_name_at_once_and_is_off_the_disk_when_a_checkpoint_no_longer_names_it()
    {
        using var directory = new TempDirectory();
        using var disk = new HeldDisk();
        await using var log = await LogStore.OpenAsync(new() { Directory = directory.Path, WalBytes = 4 << 20 }, NullLogger.Instance, _time, disk, default);
        var settings = new Dictionary<string, string> { ["segment.bytes"] = "1000" };
        var partition = (await log.CreateTopicAsync("kept", 1, new() { Settings = settings }, default)).Partitions[0];
        for (var i = 0; i < 30; i++) await AppendAsync(partition, new string('x', 150));
        var topic = await log.CreateTopicAsync("t", 1, new(), default);
        await AppendAsync(topic.Partitions[0], "old");
        disk.Hold(true);
        try
        {
            log.RequestCheckpoint();
            await partition.DeleteRecordsAsync(17, default);
            await log.DeleteTopicAsync(topic.Id, default);
            Assert.Equal(4, Renamed("kept-0", ".log").Length); // those wholly below
            var old = Assert.Single(Directory.GetDirectories(directory.Path, "t-0*"));
            Assert.EndsWith("-delete", old, StringComparison.Ordinal);
            Assert.Single(Directory.GetFiles(old, "*.log"));
            // Its name is free.
            topic = await log.CreateTopicAsync("t", 1, new(), default);
            await AppendAsync(topic.Partitions[0], "new");
            Assert.Equal(["new"], await topic.Partitions[0].ValuesAsync());
            Assert.True(Directory.Exists(old));
        }
        finally
        {
            disk.Hold(false);
        }
        for (var i = 0; i < 2000 && (Renamed("kept-0", "").Length > 0 || Directory.GetDirectories(directory.Path, "t-0*").Length > 1); i++)
        {
            log.RequestCheckpoint();
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
        Assert.Empty(Renamed("kept-0", ""));
        Assert.Single(Directory.GetDirectories(directory.Path, "t-0*"));

        string[] Renamed(string folder, string extension) => Directory.GetFiles(Path.Combine(directory.Path, folder), $"*{extension}.*.deleted");
    }

    async Task DeleteAsync(LogStore log, string what)
    {
        switch (what)
        {
            case "records":
                await log.Find("t")!.Partitions[0].DeleteRecordsAsync(17, default);
                break;
            case "retention":
                _time.Advance(TimeSpan.FromSeconds(61)); // no timer is due: retention comes from here only
                await log.ApplyRetentionAsync(default);
                break;
            default:
                await log.DeleteTopicAsync(log.Find("t")!.Id, default);
                break;
        }
    }

    static IEnumerable<string> Leftovers(SimulatedDisk disk)
        => disk.Directories("/data").Where(d => d.EndsWith("-delete", StringComparison.Ordinal)).Concat(disk.Files("/data/t-0").Where(f => f.EndsWith(".deleted", StringComparison.Ordinal)));

    static async Task AppendAsync(Partition partition, string value)
    {
        var unit = new LogUnit();
        unit.Append(partition, Batches.Of(value));
        Assert.Equal(AppendError.None, (await partition.Store.CommitAsync(unit, default))[0].Error);
    }

    Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 512 << 10 }, NullLogger.Instance, _time, disk, default);
}
