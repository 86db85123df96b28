using System.Text.Json.Nodes;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Acceptance.Tests;

/// <summary><c>log export</c>, <c>backup</c>, <c>restore</c> and <c>repair</c> by the real program on the folder of a real gateway.</summary>
public sealed class LogCareTests
{
    [Fact]
    public async Task A_backup_of_a_running_gateway_is_restored_as_another_cluster_with_the_same_records()
    {
        await using var gateway = new GatewayUnderTest();
        await gateway.StartAsync();
        await ProduceAsync(gateway.Broker, 0, 500);
        using var stop = new CancellationTokenSource();
        var more = Task.Run(async () =>
        {
            var next = 500;
            while (!stop.IsCancellationRequested) await ProduceAsync(gateway.Broker, next, next += 20);
            return next;
        });
        var backup = Path.Combine(gateway.Root, "backup");
        var made = await RunAsync("backup", backup, "--data", gateway.Data, "--config", gateway.Config, "--json");
        Assert.Equal(0, made.Code);
        Assert.True((int)JsonNode.Parse(made.Output)!["segments"]! > 0);
        await stop.CancelAsync();
        var end = await more;
        var first = await ClusterAsync(gateway.Broker);
        await gateway.StopAsync();

        await using var second = new GatewayUnderTest();
        Assert.Equal(0, (await RunAsync("restore", backup, "--data", second.Data)).Code);
        Assert.Equal(1, (await RunAsync("restore", backup, "--data", second.Data)).Code); // only into an empty folder
        Assert.Equal(0, (await RunAsync("verify", "--data", second.Data)).Code);
        await second.StartAsync();
        Assert.NotEqual(first, await ClusterAsync(second.Broker));
        var restored = Consume(second.Broker);
        Assert.InRange(restored.Count, 500, end);
        Assert.Equal(Enumerable.Range(0, restored.Count).Select(i => (i, $"value {i}")), restored);
        await ProduceAsync(second.Broker, restored.Count, restored.Count + 1);
        Assert.Equal(restored.Count + 1, Consume(second.Broker).Count);
        await second.StopAsync();
    }

    [Fact]
    public async Task An_export_of_a_killed_gateway_has_every_record_as_a_line_of_JSON_and_as_segments()
    {
        await using var gateway = new GatewayUnderTest();
        await gateway.StartAsync();
        await ProduceAsync(gateway.Broker, 0, 300);
        await gateway.KillAsync();
        var (code, output) = await RunAsync("export", "kept:0", "--data", gateway.Data, "--from", "10", "--to", "290");
        Assert.Equal(0, code);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!).ToList();
        Assert.Equal(Enumerable.Range(10, 280).Select(i => ((long)i, $"key {i % 7}", $"value {i}")), lines.Select(l => ((long)l["offset"]!, (string)l["key"]!, (string)l["value"]!)));
        var folder = Path.Combine(gateway.Root, "segments");
        Assert.Equal(0, (await RunAsync("export", "kept", "--data", gateway.Data, "--format", "kafka-segment", "--out", folder)).Code);
        Assert.True(new FileInfo(Assert.Single(Directory.GetFiles(Path.Combine(folder, "kept-0")))).Length > 300 * 10);
        Assert.Equal(2, (await RunAsync("export", "nothing-like-it", "--data", gateway.Data)).Code);
    }

    [Fact]
    public async Task A_rotten_segment_is_told_repaired_with_a_copy_kept_and_the_gateway_serves_the_rest()
    {
        await using var gateway = new GatewayUnderTest();
        await gateway.StartAsync();
        for (var i = 0; i < 20; i++) await ProduceAsync(gateway.Broker, i * 10, (i + 1) * 10); // several batches
        await gateway.StopAsync();
        var segment = Path.Combine(gateway.Data, "kept-0", "00000000000000000000.log");
        var bytes = await File.ReadAllBytesAsync(segment);
        bytes[bytes.Length / 2] ^= 0x40;
        await File.WriteAllBytesAsync(segment, bytes);

        Assert.Equal(1, (await RunAsync("verify", "--data", gateway.Data)).Code);
        var dry = await RunAsync("repair", "--data", gateway.Data, "--dry-run");
        Assert.Equal(1, dry.Code);
        Assert.Contains("Nothing was changed", dry.Output, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(segment));
        var repair = await RunAsync("repair", "--data", gateway.Data);
        Assert.Equal(0, repair.Code);
        Assert.Contains("kept-0", repair.Output, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(gateway.Data, "quarantine"), "*", SearchOption.AllDirectories));
        Assert.Equal(0, (await RunAsync("verify", "--data", gateway.Data)).Code);
        Assert.DoesNotContain("anew", (await RunAsync("repair", "--data", gateway.Data)).Output, StringComparison.Ordinal); // told until there is a gap record, mended once

        await gateway.StartAsync();
        var left = Consume(gateway.Broker, end: 200);
        Assert.InRange(left.Count, 100, 199); // less the batch, or few
        Assert.All(left, r => Assert.Equal($"value {r.Offset}", r.Value));
        await Eventually.TrueAsync(() => gateway.CliAsync("consume", "gateway.gaps", "--exit").GetAwaiter().GetResult().Contains("kept", StringComparison.Ordinal), 20, () => gateway.Log);
        Assert.Equal(1, (await RunAsync("repair", "--data", gateway.Data)).Code); // not of a running one
        await gateway.StopAsync();
        Assert.Contains("Nothing to repair", (await RunAsync("repair", "--data", gateway.Data)).Output, StringComparison.Ordinal);
    }

    static async Task<(int Code, string Output)> RunAsync(string verb, params string[] arguments)
    {
        await using var tool = Tool.Start(Machine.Gateway, ["log", verb, .. arguments]);
        var code = await tool.WaitAsync(60);
        return (code, tool.Output);
    }

    static async Task ProduceAsync(string broker, int from, int to)
    {
        using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = broker, LingerMs = 0, EnableIdempotence = true }).Build();
        await Task.WhenAll(Enumerable.Range(from, to - from).Select(i => producer.ProduceAsync(new TopicPartition("kept", 0), new() { Key = $"key {i % 7}", Value = $"value {i}" })));
    }

    /// <summary>All there is, or all up to an offset: where records were set aside, the last may be missing.</summary>
    static List<(int Offset, string Value)> Consume(string broker, int? end = null)
    {
        using var consumer = new ConsumerBuilder<string, string>(new ConsumerConfig { BootstrapServers = broker, GroupId = "care", EnablePartitionEof = true, EnableAutoCommit = false }).Build();
        consumer.Assign(new TopicPartitionOffset("kept", 0, 0));
        var all = new List<(int, string)>();
        for (var patience = 30; patience > 0;)
        {
            if (consumer.Consume(TimeSpan.FromSeconds(1)) is not { } got) patience--;
            else if (!got.IsPartitionEOF) all.Add(((int)got.Offset.Value, got.Message.Value));
            else if (end is null || got.Offset.Value == end) return all;
        }
        Assert.Fail($"The end was not reached; {all.Count} records came.");
        return all;
    }

    static async Task<string> ClusterAsync(string broker)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker }).Build();
        return (await admin.DescribeClusterAsync(new DescribeClusterOptions())).ClusterId;
    }
}
