using System.Diagnostics;
using IotGateway.Log.Inspection;
using IotGateway.Log.Records;
using IotGateway.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// Below the log's own view of a disk: a third of the system calls that read and write do a part only, or nothing because a signal came. A child process
/// writes with 16 producers, is killed, starts again, and another reads it all; everything acknowledged is there, once, and whole.
/// </summary>
public sealed class InterruptedCallTests(ITestOutputHelper output) : IDisposable
{
    public const string Child = "IOTGATEWAY_LOG_READ";
    const int Kills = 3;

    readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Short_and_interrupted_reads_and_writes_lose_and_change_nothing()
    {
        var shim = await PreloadedShim.PathAsync();
        Assert.SkipWhen(shim is null, "The preloaded library needs gcc, which is not installed.");
        var counts = Path.Combine(Directory.CreateTempSubdirectory("shim-count-").FullName, "calls");
        var acknowledged = new HashSet<string>();
        var random = new Random(4712);
        for (var kill = 0; kill < Kills; kill++)
        {
            using var child = Start(KillTests.Child, shim, counts);
            var enough = random.Next(300, 1500);
            for (var lines = 0; await child.StandardOutput.ReadLineAsync() is { } line;)
            {
                if (line.EndsWith('.')) acknowledged.Add(line[..^1]);
                if (++lines == enough) child.Kill();
            }
            await child.WaitForExitAsync();
            Assert.Equal(137, child.ExitCode);
        }
        var cut = new FileInfo(counts).Length;
        using var reading = Start(Child, shim, counts);
        var found = new HashSet<string>();
        while (await reading.StandardOutput.ReadLineAsync() is { } value) Assert.True(found.Add(value), $"'{value}' is there twice.");
        await reading.WaitForExitAsync();
        Assert.Equal(0, reading.ExitCode);
        Assert.True(found.IsSupersetOf(acknowledged), $"{acknowledged.Except(found).Count()} acknowledged records are missing.");
        output.WriteLine($"{acknowledged.Count} acknowledged; {cut} calls cut short or interrupted while writing and starting, {new FileInfo(counts).Length - cut} while reading");
        Assert.True(cut > 100 && new FileInfo(counts).Length > cut, "The shim did nothing.");
        Assert.Empty((await LogInspector.VerifyAsync(_directory.Path, default)).Findings);
    }

    /// <summary>The child that reads.</summary>
    public static async Task<int> ReadAsync(string directory)
    {
        await using var log = await LogStore.OpenAsync(new() { Directory = directory, WalBytes = 512 << 10 }, NullLogger.Instance, TimeProvider.System, default);
        if (log.Quarantined.Count > 0) return 3;
        foreach (var partition in log.Find("t")!.Partitions)
            for (var offset = partition.LogStart; offset < partition.HighWatermark;)
                foreach (var record in new RecordReader((await partition.ReadAsync(offset, 64 << 10, default)).Batches))
                {
                    if (record.Offset < offset) continue;
                    Console.WriteLine(System.Text.Encoding.UTF8.GetString(record.Value!.Value.Span));
                    offset = record.Offset + 1;
                }
        return (await LogInspector.VerifyAsync(directory, default)).Findings.Count == 0 ? 0 : 4;
    }

    Process Start(string what, string? shim, string counts) => Process.Start(new ProcessStartInfo("dotnet", [typeof(InterruptedCallTests).Assembly.Location])
    {
        Environment = { [what] = _directory.Path, ["LD_PRELOAD"] = shim, ["SHIM_IO"] = "part:33", ["SHIM_COUNT"] = counts },
        RedirectStandardOutput = true,
    })!;
}
