using System.Collections.Concurrent;
using System.Diagnostics;
using IotGateway.Log.Disk;
using IotGateway.Log.Tests.Disk;
using IotGateway.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// A disk that for a while takes no writes, opens no files, or has no inodes, and one that can hardly follow: nobody waits for ever, nothing acknowledged is lost, and
/// with the trouble gone the next start, if one is needed, has it all. Seeds as in <see cref="CrashModelTests"/>.
/// </summary>
public sealed class DiskFaultTests(ITestOutputHelper output)
{
    const int Producers = 4, Each = 25;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("read-only")]
    [InlineData("descriptors")]
    [InlineData("inodes")]
    public async Task Trouble_of_the_disk_blocks_nobody_and_loses_nothing(string trouble)
    {
        var (lasting, failed) = (0, 0);
        foreach (var seed in CrashModelTests.Seeds(10).Take(100))
        {
            output.WriteLine($"seed {seed}");
            if (await RunAsync(trouble, new Random(seed)).WaitAsync(Patience)) failed++;
            else lasting++;
        }
        output.WriteLine($"{lasting} runs went on, {failed} needed a new start");
        if (trouble == "inodes") Assert.Equal(0, failed); // it is a full disk, which is waited out
        else Assert.NotEqual(0, failed); // else the trouble met nothing
    }

    [Fact]
    public async Task A_disk_that_takes_100_ms_for_each_call_acknowledges_slowly_and_loses_nothing()
    {
        var shim = await PreloadedShim.PathAsync();
        Assert.SkipWhen(shim is null, "The preloaded library needs gcc, which is not installed.");
        using var directory = new TempDirectory();
        var acknowledged = new List<string>();
        using (var child = Process.Start(new ProcessStartInfo("dotnet", [typeof(KillTests).Assembly.Location])
        {
            Environment = { [KillTests.Child] = directory.Path, ["LD_PRELOAD"] = shim, ["SHIM_IO"] = "delay:100" },
            RedirectStandardOutput = true,
        })!)
        {
            using var slow = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (acknowledged.Count < 100) acknowledged.Add((await child.StandardOutput.ReadLineAsync(slow.Token))!);
            child.Kill();
            await child.WaitForExitAsync(slow.Token);
        }
        await using var log = await directory.OpenAsync(512 << 10);
        var found = new HashSet<string>();
        foreach (var partition in log.Find("t")!.Partitions)
            foreach (var value in await partition.ValuesAsync()) Assert.True(found.Add(value + "."), $"'{value}' is there twice.");
        Assert.True(found.IsSupersetOf(acknowledged), "Acknowledged records are missing.");
    }

    /// <returns>Whether the log failed.</returns>
    async Task<bool> RunAsync(string trouble, Random random)
    {
        var disk = new SimulatedDisk();
        var acknowledged = new ConcurrentBag<string>();
        var log = await OpenAsync(disk);
        var topic = await log.CreateTopicAsync("t", 3, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "2000" } }, default);
        var (begins, lasts) = (random.Next(1, 150), random.Next(1, trouble == "inodes" ? 4 : 60)); // a full disk is looked at again once a second
        disk.Fault = (what, path) =>
        {
            if (!Meets(trouble, what, disk, path) || --begins > 0) return null;
            return --lasts >= 0 ? new DiskException(what, path, Errno(trouble), trouble) : null;
        };
        var writers = Enumerable.Range(0, Producers).Select(async producer =>
        {
            await Task.Yield();
            for (var i = 0; i < Each; i++)
            {
                var (value, unit) = ($"{producer} {i}", new LogUnit());
                unit.Append(topic.Partitions[(producer + i) % 3], Batches.Of(value, new string('x', 200)));
                if (i % 10 == 3) log.RequestCheckpoint();
                try
                {
                    await log.CommitAsync(unit, default);
                    acknowledged.Add(value);
                    await topic.Partitions[i % 3].ReadAsync(topic.Partitions[i % 3].LogStart, 1000, default);
                }
                catch (Exception e) when (e is LogFailedException or LogFullException or DiskException or OffsetOutOfRangeException)
                {
                    if (e is LogFailedException) return true;
                }
            }
            return false;
        }).ToList();
        var failed = (await Task.WhenAll(writers)).Any(f => f);
        await log.DisposeAsync();
        disk.Fault = (_, _) => null;
        disk.Kill();
        await using (log = await OpenAsync(random.Next(2) == 0 ? disk : disk.Crash(random)))
        {
            var found = new List<string>();
            foreach (var partition in log.Find("t")!.Partitions) found.AddRange(await partition.ValuesAsync());
            var counts = found.CountBy(v => v).ToDictionary();
            foreach (var value in acknowledged) Assert.True(counts.GetValueOrDefault(value) == 1, $"'{value}' is there {counts.GetValueOrDefault(value)} times.");
        }
        return failed;
    }

    static bool Meets(string trouble, string what, SimulatedDisk disk, string path) => trouble switch
    {
        "read-only" => what is "write" or "truncate" or "rename" or "mkdir" or "delete" or "link" or "allocate",
        "descriptors" => what is "open",
        _ => what is "mkdir" or "link" || (what is "open" && !disk.Has(path)),
    };

    static int Errno(string trouble) => trouble switch { "read-only" => 30, "descriptors" => 24, _ => 28 }; // EROFS, EMFILE, ENOSPC

    static Task<LogStore> OpenAsync(SimulatedDisk disk)
        => LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 256 << 10, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, disk, default);
}
