using System.Diagnostics;
using System.Globalization;
using IotGateway.Log.Disk;
using IotGateway.Log.Tests.Disk;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>
/// A start after kill -9 with a full write-ahead log does not feel how much lies behind the checkpoint, and the oldest segment is read at once, both with
/// a cold cache. Each start is one of a new process. MANY_PARTITIONS, MANY_SEGMENTS, MANY_WAL (MiB) and MANY_STARTS make it large (2000, 50, 256 and 5: about
/// twenty minutes), MANY_FOLDER keeps the logs for another run; the figures are in the test's output. With five starts and more the targets hold to the letter, and the
/// machine has to be quiet; with fewer there is slack for one that does other things.
/// </summary>
public sealed class ManySegmentsTests(ITestOutputHelper output) : IDisposable
{
    public const string Child = "IOTGATEWAY_LOG_SEGMENTS";
    const int Quiet = 5; // starts

    static readonly string[] Wals = ["nothing to replay", "a full write-ahead log of one partition", "a full write-ahead log of all partitions"];

    readonly TempDirectory _directory = new();

    static int Partitions => Number("MANY_PARTITIONS", 40);
    static int Segments => Number("MANY_SEGMENTS", 10);
    static int Starts => Number("MANY_STARTS", 1);
    static double Slack => Starts >= Quiet ? 0 : 2_000; // ms
    static double MostFetch => Starts >= Quiet ? 50 : 1_000;
    static long WalBytes => (long)Number("MANY_WAL", 16) << 20;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Starts_as_quickly_as_an_almost_empty_log_and_reads_the_oldest_segment_at_once()
    {
        var small = await MakeAsync("almost empty", 1, 1);
        var large = await MakeAsync($"{Partitions} × {Segments} segments", Partitions, Segments);
        for (var i = 0; i < Starts; i++)
            foreach (var log in small.Concat(large)) await StartAsync(log);
        foreach (var log in small.Concat(large))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{log.Name}: start {log.Start:F0} ms (of {log.Starts.Count}: {log.Starts.Min():F0} … {log.Starts.Max():F0}), first fetch of the oldest segment {Median(log.Fetches):F1} ms (at most {log.Fetches.Max():F1}), {log.Memory} MiB of managed memory"));
            Assert.All(log.Fetches, f => Assert.True(f <= MostFetch, $"{log.Name}: the fetch took {f} ms."));
        }
        for (var i = 0; i < Wals.Length; i++)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Wals[i]}: {large[i].Start / small[i].Start:F2} ×"));
            Assert.True(large[i].Start < small[i].Start * 1.2 + Slack, $"{large[i].Name}: {large[i].Start} ms against {small[i].Start} ms.");
        }
    }

    // What a start changes that matters to the next is put back: a start again after a start that was cut short is legal.
    async Task<List<Made>> MakeAsync(string name, int partitions, int segments)
    {
        var kept = Environment.GetEnvironmentVariable("MANY_FOLDER");
        var root = Path.Combine(string.IsNullOrEmpty(kept) ? _directory.Path : kept, $"{partitions}x{segments}-{WalBytes >> 20}");
        var made = Wals.Select((wal, i) => new Made($"{name}, {wal}", Path.Combine(root, "log"), Path.Combine(root, $"saved{i}"), segments)).ToList();
        if (Directory.Exists(made[^1].Saved)) return made;
        using var child = Run($"write|{made[0].Directory}|{partitions}|{segments}");
        foreach (var log in made)
        {
            Assert.Equal("ready", await child.StandardOutput.ReadLineAsync());
            // Nothing happens in it now: these are the files a kill would leave.
            Directory.CreateDirectory(log.Saved);
            foreach (var file in Kept(log.Directory)) File.Copy(file, Path.Combine(log.Saved, Path.GetFileName(file)));
            if (log != made[^1]) await child.StandardInput.WriteLineAsync("next");
            await child.StandardInput.FlushAsync();
        }
        child.Kill();
        await child.WaitForExitAsync();
        return made;
    }

    static async Task StartAsync(Made log)
    {
        foreach (var file in Kept(log.Directory)) File.Delete(file);
        foreach (var file in Directory.GetFiles(log.Saved))
            File.Copy(file, Path.Combine(file.EndsWith(".wal", StringComparison.Ordinal) ? Path.Combine(log.Directory, "wal") : log.Directory, Path.GetFileName(file)));
        Chill();
        using var child = Run($"start|{log.Directory}|{log.Segments}");
        var figures = (await child.StandardOutput.ReadLineAsync())?.Split(' ') ?? [];
        Assert.True(figures is [_, _, _], "The start failed.");
        child.Kill();
        await child.WaitForExitAsync();
        log.Starts.Add(double.Parse(figures[0], CultureInfo.InvariantCulture));
        log.Fetches.Add(double.Parse(figures[1], CultureInfo.InvariantCulture));
        log.Memory = figures[2];
    }

    static IEnumerable<string> Kept(string directory) => Directory.GetFiles(directory, "state*").Concat(Directory.GetFiles(Path.Combine(directory, "wal")));

    static Process Run(string what) => Process.Start(new ProcessStartInfo("dotnet", [typeof(ManySegmentsTests).Assembly.Location])
    {
        Environment = { [Child] = what },
        RedirectStandardOutput = true,
        RedirectStandardInput = true,
    })!;

    // As far as one may: without being root the cache stays warm, which favours neither.
    static void Chill()
    {
        using var sync = Process.Start("sync");
        sync.WaitForExit();
        try
        {
            File.WriteAllText("/proc/sys/vm/drop_caches", "3");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"The cache is warm: {e.Message}");
        }
        // The runtime's and the test's own files are not what is measured.
        using var warm = Process.Start(new ProcessStartInfo("dotnet", [typeof(ManySegmentsTests).Assembly.Location]) { Environment = { [Child] = "warm" } })!;
        warm.WaitForExit();
    }

    /// <summary>The child.</summary>
    public static async Task<int> ChildAsync(string what)
    {
        var parts = what.Split('|');
        if (parts[0] == "write") await WriteAsync(parts[1], Int(parts[2]), Int(parts[3]));
        else if (parts[0] == "start") await OpenAsync(parts[1], Int(parts[2]));
        else await WarmAsync();
        await Task.Delay(parts[0] == "warm" ? TimeSpan.Zero : Timeout.InfiniteTimeSpan);
        return 0;
    }

    static async Task WarmAsync()
    {
        using var directory = new TempDirectory();
        await using var log = await directory.OpenAsync(1 << 20);
        var topic = await log.CreateTopicAsync("t", 1, new(), default);
        var unit = new LogUnit();
        unit.Append(topic.Partitions[0], Batches.Of("x"));
        await log.CommitAsync(unit, default);
        await topic.Partitions[0].RecordsAsync();
    }

    static async Task OpenAsync(string directory, int segments)
    {
        var started = TimeProvider.System.GetTimestamp();
        var log = await LogStore.OpenAsync(new() { Directory = directory, WalBytes = WalBytes, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, default);
        var took = TimeProvider.System.GetElapsedTime(started);
        var partition = log.Find("many")!.Partitions[^1];
        var fetch = TimeProvider.System.GetTimestamp();
        var slice = await partition.ReadAsync(0, 1, default);
        var fetched = TimeProvider.System.GetElapsedTime(fetch);
        if (partition.Files.Segments.Length < segments || new Records.RecordBatch(slice.Batches.Span).BaseOffset != 0) throw new InvalidOperationException("Something is missing.");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{took.TotalMilliseconds:F1} {fetched.TotalMilliseconds:F1} {GC.GetTotalMemory(forceFullCollection: true) >> 20}"));
    }

    static async Task WriteAsync(string directory, int partitions, int segments)
    {
        using var disk = new HeldDisk();
        var log = await LogStore.OpenAsync(new() { Directory = directory, WalBytes = WalBytes, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, disk, default);
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
        var last = await log.CreateTopicAsync("last", 1, new(), default);
        var all = await log.CreateTopicAsync("all", Partitions, new(), default);
        await CheckpointAsync(log);
        await ReadyAsync();
        foreach (var topics in (Topic[])[last, all])
        {
            disk.Hold(true);
            // Until no file is left to go on to and the log waits for the checkpoint that does not come.
            Task commit;
            do
            {
                unit.Clear();
                foreach (var partition in topics.Partitions) unit.Append(partition, Batches.Of(new string('y', topics == last ? 60_000 : 100)));
                commit = log.CommitAsync(unit, default).AsTask();
            }
            while (await Task.WhenAny(commit, Task.Delay(TimeSpan.FromSeconds(5))) == commit);
            await ReadyAsync();
            disk.Hold(false);
            await commit;
            await CheckpointAsync(log);
        }

        static async Task ReadyAsync()
        {
            Console.WriteLine("ready");
            await Console.In.ReadLineAsync();
        }
    }

    // One under way may have begun before: the second has all.
    static async Task CheckpointAsync(LogStore log)
    {
        for (var done = log.Figures.Checkpoints; log.Figures.Checkpoints < done + 2; await Task.Delay(10)) log.RequestCheckpoint();
    }

    static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    static int Int(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    static int Number(string variable, int otherwise) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? Int(text) : otherwise;

    sealed record Made(string Name, string Directory, string Saved, int Segments)
    {
        public List<double> Starts { get; } = [];
        public List<double> Fetches { get; } = [];
        public double Start => Median(Starts);
        public string Memory { get; set; } = "";
    }
}
