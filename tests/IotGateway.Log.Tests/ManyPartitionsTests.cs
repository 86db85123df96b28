using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>2,000 partitions: few open files, and a start after kill -9 that does not feel them much. The figures are in the test's output.</summary>
public sealed class ManyPartitionsTests(ITestOutputHelper output) : IDisposable
{
    public const string Child = "IOTGATEWAY_LOG_MANY";
    const int Partitions = 2000, MostFiles = 400;
    static readonly TimeSpan MostStart = TimeSpan.FromSeconds(10); // on a machine that does other things, too

    readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Starts_quickly_after_a_kill_with_few_open_files()
    {
        using var child = Process.Start(new ProcessStartInfo("dotnet", [typeof(ManyPartitionsTests).Assembly.Location])
        {
            Environment = { [Child] = _directory.Path },
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("ready", await child.StandardOutput.ReadLineAsync());
        output.WriteLine($"running: {OpenFiles(child.Id)} open files, {child.WorkingSet64 >> 20} MiB resident");
        Assert.InRange(OpenFiles(child.Id), 1, MostFiles);
        child.Kill();
        await child.WaitForExitAsync();

        var memory = GC.GetTotalMemory(forceFullCollection: true);
        var started = TimeProvider.System.GetTimestamp();
        await using var log = await _directory.OpenAsync(64 << 20);
        var took = TimeProvider.System.GetElapsedTime(started);
        output.WriteLine($"start: {took.TotalMilliseconds:F0} ms, {(GC.GetTotalMemory(forceFullCollection: true) - memory) / 1024 / Partitions} KiB of memory a partition, {OpenFiles(Environment.ProcessId)} open files");
        Assert.True(took < MostStart, $"The start took {took}.");
        Assert.InRange(OpenFiles(Environment.ProcessId), 1, MostFiles);
        Assert.All(log.Find("many")!.Partitions, p => Assert.Equal(5, p.HighWatermark));
        // Reading them all opens them all, but not at once.
        foreach (var partition in log.Find("many")!.Partitions) Assert.Equal(5, (await partition.RecordsAsync()).Count);
        Assert.InRange(OpenFiles(Environment.ProcessId), 1, MostFiles);
    }

    /// <summary>The child.</summary>
    public static async Task<int> WriteAsync(string directory)
    {
        var log = await LogStore.OpenAsync(new() { Directory = directory, WalBytes = 64 << 20 }, NullLogger.Instance, TimeProvider.System, default);
        var topic = await log.CreateTopicAsync("many", Partitions, new(), default);
        for (var round = 0; round < 5; round++)
        {
            var unit = new LogUnit();
            foreach (var partition in topic.Partitions) unit.Append(partition, Batches.Of(new string('x', 100)));
            await log.CommitAsync(unit, default);
            if (round != 2) continue;
            log.RequestCheckpoint();
            while (log.Figures.Checkpoints == 0) await Task.Delay(10);
        }
        Console.WriteLine("ready");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    // Only the log's: other tests run in this process.
    int OpenFiles(int process)
        => Directory.GetFiles($"/proc/{process}/fd").Count(f => new FileInfo(f).LinkTarget?.StartsWith(_directory.Path, StringComparison.Ordinal) == true);
}
