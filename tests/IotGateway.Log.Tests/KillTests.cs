using System.Diagnostics;
using System.Globalization;
using IotGateway.Log.Inspection;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>A child process writes with 16 producers and says what is acknowledged; it is killed with SIGKILL; all it said must be there.</summary>
public sealed class KillTests : IDisposable
{
    public const string Child = "IOTGATEWAY_LOG_CHILD";
    const int Kills = 8;

    readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Has_everything_acknowledged_after_each_of_several_kills()
    {
        var acknowledged = new List<string>();
        var random = new Random(4711);
        for (var kill = 0; kill < Kills; kill++)
        {
            using var child = Process.Start(new ProcessStartInfo("dotnet", [typeof(KillTests).Assembly.Location])
            {
                Environment = { [Child] = _directory.Path },
                RedirectStandardOutput = true,
            })!;
            var enough = random.Next(50, 1500);
            for (var lines = 0; await child.StandardOutput.ReadLineAsync() is { } line;)
            {
                // The last line may be cut off by the kill.
                if (line.EndsWith('.')) acknowledged.Add(line[..^1]);
                if (++lines == enough) child.Kill();
            }
            await child.WaitForExitAsync();
            Assert.Equal(137, child.ExitCode);
        }
        await using var log = await _directory.OpenAsync(512 << 10);
        Assert.Equal(Kills + 1, log.StartCount);
        Assert.Empty(log.Quarantined);
        var found = new HashSet<string>();
        foreach (var partition in log.Find("t")!.Partitions)
            foreach (var value in await partition.ValuesAsync()) Assert.True(found.Add(value), $"'{value}' is there twice.");
        Assert.True(found.IsSupersetOf(acknowledged), "Acknowledged records are missing.");
        Assert.True(acknowledged.Count > Kills * 50);
        await log.DisposeAsync();
        Assert.Empty((await LogInspector.VerifyAsync(_directory.Path, default)).Findings);
    }

    /// <summary>What the child process does.</summary>
    public static async Task<int> WriteForeverAsync(string directory)
    {
        var log = await LogStore.OpenAsync(new() { Directory = directory, WalBytes = 512 << 10 }, NullLogger.Instance, TimeProvider.System, default);
        var topic = log.Find("t") ?? await log.CreateTopicAsync("t", 4,
            new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "50000" } }, default);
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        var gate = new Lock();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async producer =>
        {
            await Task.Yield();
            var unit = new LogUnit();
            for (var i = 0; ; i++)
            {
                var value = string.Create(CultureInfo.InvariantCulture, $"{log.StartCount} {producer} {i}");
                unit.Append(topic.Partitions[(producer + i) % 4], Batches.Of(value));
                if (i % 3 == 0) unit.Put("positions", BitConverter.GetBytes(producer), BitConverter.GetBytes(i));
                await log.CommitAsync(unit, default);
                unit.Clear();
                lock (gate) output.WriteLine(value + ".");
            }
        }));
        return 0;
    }
}
