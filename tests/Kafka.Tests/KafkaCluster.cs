using System.Diagnostics;
using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using IotGateway.Testing;

namespace Kafka.Tests;

/// <summary>
/// A real Apache Kafka of one node on a free loopback port, started once for a test class and wiped afterwards. Found by KAFKA_DIR, or as
/// shared/kafka beside the repository or above it. Where there is none, tests that ask for it are skipped.
/// </summary>
public sealed class KafkaCluster : IAsyncLifetime
{
    readonly string _data = Path.Combine(Path.GetTempPath(), "kafka-tests-" + Guid.NewGuid().ToString("N")[..8]);
    int _port;
    string? _missing;

    public string Bootstrap { get { if (_missing is not null) Assert.Skip(_missing); return $"127.0.0.1:{_port}"; } }

    IReadOnlyList<string> Settings { get; init; } = [];

    static string? Program
    {
        get
        {
            if (Environment.GetEnvironmentVariable("KAFKA_DIR") is { Length: > 0 } dir) return Path.Combine(dir, "cluster");
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (Path.Combine(folder.FullName, "shared", "kafka", "cluster") is var path && File.Exists(path)) return path;
            return null;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (Program is not { } program || !File.Exists(program)) _missing = "No Apache Kafka: set KAFKA_DIR to a folder with its 'cluster' script.";
        else if (!File.Exists("/usr/bin/java")) _missing = "No Java to run Apache Kafka with.";
        else
        {
            _port = Ports.Free(also: 100);
            // The records are stamped 2023: by Kafka's default retention they would go 30 s after the broker's start.
            await RunAsync(["start", "--set", "log.retention.ms=-1", .. Settings.SelectMany(s => new[] { "--set", s })]);
        }
    }

    public Task KillAsync() => RunAsync(["kill", "1", "--signal", "9"]);

    /// <summary>Stops the node's process without ending it: connections stay, nothing answers.</summary>
    public async Task FreezeAsync()
    {
        await RunAsync(["kill", "1", "--signal", "STOP"]);
        await Stopped.WaitAsync(int.Parse(await File.ReadAllTextAsync(Path.Combine(_data, "node1", "pid")), CultureInfo.InvariantCulture));
    }

    public Task ThawAsync() => RunAsync(["kill", "1", "--signal", "CONT"]);

    public Task ReviveAsync() => RunAsync(["revive", "1"]);

    /// <summary>Every record of a topic, partition by partition, once <paramref name="count"/> are there; half a second more is waited for others.</summary>
    public List<ConsumeResult<byte[]?, byte[]?>> ReadAll(string topic, int count)
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig { BootstrapServers = Bootstrap, GroupId = "reader-" + Guid.NewGuid(), AutoOffsetReset = AutoOffsetReset.Earliest, EnablePartitionEof = true })
            .SetKeyDeserializer(Nullable.Instance).SetValueDeserializer(Nullable.Instance).SetErrorHandler((_, _) => { }).Build();
        consumer.Assign(Enumerable.Range(0, PartitionsOf(topic)).Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
        var found = new List<ConsumeResult<byte[]?, byte[]?>>();
        var deadline = Stopwatch.StartNew();
        while (deadline.Elapsed < TimeSpan.FromSeconds(30))
        {
            var one = consumer.Consume(TimeSpan.FromSeconds(found.Count >= count ? 0.5 : 10));
            if (one is null && found.Count >= count) break;
            if (one is { IsPartitionEOF: false }) found.Add(one);
        }
        return [.. found.OrderBy(r => r.Partition.Value).ThenBy(r => r.Offset.Value)];
    }

    /// <summary>Every record of a topic up to its present ends, partition by partition.</summary>
    public List<ConsumeResult<byte[]?, byte[]?>> ReadToEnd(string topic)
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig { BootstrapServers = Bootstrap, GroupId = "reader-" + Guid.NewGuid(), EnablePartitionEof = true })
            .SetKeyDeserializer(Nullable.Instance).SetValueDeserializer(Nullable.Instance).SetErrorHandler((_, _) => { }).Build();
        var open = PartitionsOf(topic);
        consumer.Assign(Enumerable.Range(0, open).Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
        var found = new List<ConsumeResult<byte[]?, byte[]?>>();
        while (open > 0)
        {
            var one = consumer.Consume(TimeSpan.FromSeconds(30)) ?? throw new TimeoutException($"{topic} does not come to its end.");
            if (one.IsPartitionEOF) open--;
            else found.Add(one);
        }
        return [.. found.OrderBy(r => r.Partition.Value).ThenBy(r => r.Offset.Value)];
    }

    public int PartitionsOf(string topic)
    {
        using var admin = Admin();
        return admin.GetMetadata(topic, TimeSpan.FromSeconds(10)).Topics[0].Partitions.Count;
    }

    public async Task CreateAsync(string topic, int partitions, params (string Name, string Value)[] configs)
    {
        using var admin = Admin();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1, Configs = configs.ToDictionary(c => c.Name, c => c.Value) }]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_missing is null) await RunAsync(["wipe"]);
    }

    IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Bootstrap }).Build();

    async Task RunAsync(string[] arguments)
    {
        var start = new ProcessStartInfo(Program!) { RedirectStandardOutput = false, RedirectStandardError = false };
        foreach (var a in arguments) start.ArgumentList.Add(a);
        foreach (var a in new[] { "--port", _port.ToString(CultureInfo.InvariantCulture), "--dir", _data }) start.ArgumentList.Add(a);
        start.Environment["KAFKA_HEAP_OPTS"] = "-Xms256m -Xmx512m";
        using var process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        await process.WaitForExitAsync(timeout.Token);
        if (process.ExitCode != 0) throw new InvalidOperationException($"cluster {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }

    /// <summary>A port that is free together with the controller's, 100 above.</summary>
    sealed class Nullable : IDeserializer<byte[]?>
    {
        public static readonly Nullable Instance = new();
        public byte[]? Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context) => isNull ? null : data.ToArray();
    }
}
