using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// A start after kill -9 with a full write-ahead log does not feel how much lies behind the checkpoint, and the oldest segment is read at once, both with
/// a cold cache. MANY_PARTITIONS and MANY_SEGMENTS make it large (2000 and 50: about ten minutes); the figures are in the test's output.
/// </summary>
public sealed class ManySegmentsTests(ITestOutputHelper output) : IDisposable
{
    public const string Child = "IOTGATEWAY_LOG_SEGMENTS";
    const int WalBytes = 16 << 20;
    static readonly TimeSpan Slack = TimeSpan.FromSeconds(2), MostFetch = TimeSpan.FromMilliseconds(500); // on a machine that does other things, too

    readonly TempDirectory _directory = new();

    static int Partitions => Number("MANY_PARTITIONS", 40);
    static int Segments => Number("MANY_SEGMENTS", 10);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Starts_as_quickly_as_an_almost_empty_log_and_reads_the_oldest_segment_at_once()
    {
        var empty = await StartAsync("empty", 1, 1);
        var full = await StartAsync("full", Partitions, Segments);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"start after kill -9, {WalBytes >> 20} MiB of write-ahead log, cold: almost empty {empty.TotalMilliseconds:F0} ms, {Partitions} × {Segments} segments {full.TotalMilliseconds:F0} ms, ratio {full / empty:F2}"));
        Assert.True(full < empty * 1.2 + Slack, $"{full} against {empty}.");
    }

    async Task<TimeSpan> StartAsync(string name, int partitions, int segments)
    {
        var directory = Path.Combine(_directory.Path, name);
        using var child = Process.Start(new ProcessStartInfo("dotnet", [typeof(ManySegmentsTests).Assembly.Location])
        {
            Environment = { [Child] = $"{directory}|{partitions}|{segments}" },
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("ready", await child.StandardOutput.ReadLineAsync());
        child.Kill();
        await child.WaitForExitAsync();
        Chill(directory);
        var started = TimeProvider.System.GetTimestamp();
        await using var log = await LogStore.OpenAsync(new() { Directory = directory, WalBytes = WalBytes, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
        var took = TimeProvider.System.GetElapsedTime(started);
        var topic = log.Find("many")!;
        Assert.True(topic.Partitions[^1].Files.Segments.Length >= segments);
        var fetch = TimeProvider.System.GetTimestamp();
        Assert.Equal(0, (await topic.Partitions[^1].RecordsAsync(maxBytes: 1))[0].Offset);
        var fetched = TimeProvider.System.GetElapsedTime(fetch);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {partitions} × {segments}: reading the oldest partition from its first segment on {fetched.TotalMilliseconds:F1} ms, {GC.GetTotalMemory(forceFullCollection: true) >> 20} MiB of memory"));
        Assert.True(fetched < MostFetch * Math.Max(1, segments), $"The reads took {fetched}.");
        return took;
    }

    // As far as one may: without being root the cache stays warm, which favours neither.
    static void Chill(string directory)
    {
        using var sync = Process.Start("sync");
        sync.WaitForExit();
        try
        {
            File.WriteAllText("/proc/sys/vm/drop_caches", "3");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"The cache of {directory} is warm: {e.Message}");
        }
    }

    /// <summary>The child.</summary>
    public static async Task<int> WriteAsync(string what)
    {
        var parts = what.Split('|');
        var (partitions, segments) = (int.Parse(parts[1], CultureInfo.InvariantCulture), int.Parse(parts[2], CultureInfo.InvariantCulture));
        var log = await LogStore.OpenAsync(new() { Directory = parts[0], WalBytes = WalBytes, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, default);
        var topic = await log.CreateTopicAsync("many", partitions, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "1000", ["retention.ms"] = "-1" } }, default);
        var value = new string('x', 900);
        var unit = new LogUnit();
        for (var round = 0; round < segments; round++)
        {
            foreach (var chunk in topic.Partitions.Chunk(500))
            {
                unit.Clear();
                foreach (var partition in chunk) unit.Append(partition, Batches.Of(value));
                await log.CommitAsync(unit, default);
            }
        }
        var checkpoints = log.Figures.Checkpoints;
        log.RequestCheckpoint();
        while (log.Figures.Checkpoints == checkpoints) await Task.Delay(10);
        // Nearly a quarter of the write-ahead log is what a checkpoint lets come together.
        var large = await log.CreateTopicAsync("last", 1, new(), default);
        for (var i = 0; i < (WalBytes / 4 / 65536) - 6; i++)
        {
            unit.Clear();
            unit.Append(large.Partitions[0], Batches.Of(new string('y', 60_000)));
            await log.CommitAsync(unit, default);
        }
        Console.WriteLine("ready");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    static int Number(string variable, int otherwise)
        => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
