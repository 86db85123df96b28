using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>A really full file system: a small tmpfs in a mount namespace of its own. Needs the right to make one.</summary>
public sealed class TmpfsTests : IDisposable
{
    public const string Child = "IOTGATEWAY_LOG_TMPFS";
    const string Passed = "passed";

    readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_log_on_a_full_tmpfs_starts_reads_refuses_and_goes_on()
    {
        const string Mount = "mount -t tmpfs -o size=24m tmpfs \"$0\" || exit 77; exec dotnet \"$1\"";
        using var child = Process.Start(new ProcessStartInfo("unshare", ["-m", "sh", "-c", Mount, _directory.Path, typeof(TmpfsTests).Assembly.Location])
        {
            Environment = { [Child] = _directory.Path },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = child.StandardError.ReadToEndAsync();
        var output = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();
        Assert.SkipWhen(child.ExitCode is 77 or 1 && !output.Contains("child", StringComparison.Ordinal), $"No mount namespace can be made here: {await error}");
        Assert.True(output.Contains(Passed, StringComparison.Ordinal), output + await error);
    }

    /// <summary>The child: fills the file system, then opens the log on it again.</summary>
    public static async Task<int> FillAsync(string directory)
    {
        Console.WriteLine("child");
        // Everything is pinned, so to speak: nothing may be deleted to make space.
        var options = new LogOptions { Directory = Path.Combine(directory, "data"), WalBytes = 2 << 20, ReserveBytes = 4 << 20, AwaitsPins = true };
        var ballast = Path.Combine(directory, "ballast");
        long before;
        await using (var log = await LogStore.OpenAsync(options, NullLogger.Instance, TimeProvider.System, default))
        {
            await log.CreateTopicAsync("t", 1, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "1000000" } }, default);
            try
            {
                while (true) await CommitAsync(log, new string('x', 100_000), reserved: false);
            }
            catch (LogFullException) { }
            await CommitAsync(log, "outcome", reserved: true);
            before = log.Find("t")!.Partitions[0].HighWatermark;
            if (before < 20) return Failed($"only {before} records fitted");
        }
        await using (var file = File.Create(ballast))
        {
            try
            {
                while (true)
                {
                    file.Write(new byte[4096]);
                    file.Flush();
                }
            }
            catch (IOException) { }
        }
        await using (var log = await LogStore.OpenAsync(options, NullLogger.Instance, TimeProvider.System, default))
        {
            if (log.Accepting) return Failed("it accepts on a full disk");
            var partition = log.Find("t")!.Partitions[0];
            if ((await partition.RecordsAsync()).Count != before) return Failed("records are missing");
            try
            {
                await CommitAsync(log, "x", reserved: false);
                return Failed("it took an append");
            }
            catch (LogFullException) { }
            for (var i = 0; i < 10; i++) await CommitAsync(log, new string('g', 50_000), reserved: true);
            File.Delete(ballast);
            await partition.DeleteRecordsAsync(-1, default);
            log.RequestCheckpoint(); // deletes the files
            for (var i = 0; i < 1000 && !log.Accepting; i++) await Task.Delay(10);
            await CommitAsync(log, "again", reserved: false);
            if ((await partition.ValuesAsync())[^1] != "again") return Failed("the last record is not there");
        }
        Console.WriteLine(Passed);
        return 0;
    }

    static int Failed(string why)
    {
        Console.WriteLine("failed: " + why);
        return 2;
    }

    static async Task CommitAsync(LogStore log, string value, bool reserved)
    {
        var unit = new LogUnit { Reserved = reserved };
        unit.Append(log.Find("t")!.Partitions[0], Batches.Of(value));
        await log.CommitAsync(unit, default).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
    }
}
