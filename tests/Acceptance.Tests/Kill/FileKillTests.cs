using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Acceptance.Tests.Kill;

/// <summary>A log file that grows and rotates while the gateway is killed: every line is in the log once, in order. FILE_KILLS (5 unless told), seed printed.</summary>
public sealed class FileKillTests
{
    [Fact]
    public async Task Lines_are_neither_lost_nor_doubled_by_kills_and_rotations()
    {
        var kills = Machine.Setting("FILE_KILLS", 5);
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"SEED={Machine.Seed} FILE_KILLS={kills}");
        var random = new Random(Machine.Seed);
        await using var gateway = new GatewayUnderTest();
        var folder = Directory.CreateDirectory(Path.Combine(gateway.Root, "press")).FullName;
        gateway.Connector("press-log", new JsonObject { ["connector"] = "files", ["path"] = folder + "/*.log", ["mode"] = "tail", ["every"] = "10ms", ["scan"] = "50ms" });
        await gateway.StartAsync();
        using var stop = new CancellationTokenSource();
        var written = 0;
        var file = Path.Combine(folder, "line.log");
        var writer = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                File.AppendAllText(file, string.Concat(Enumerable.Range(written, 20).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i} temperature=21.5 pressure=3.2\n"))));
                Volatile.Write(ref written, written + 20);
                await Task.Delay(20, CancellationToken.None);
            }
        }, CancellationToken.None);
        for (var kill = 0; kill < kills; kill++)
        {
            var before = Lines(gateway).Count;
            await Eventually.TrueAsync(() => Lines(gateway).Count > before, 120, () => $"no line arrived after start {kill}:\n{gateway.Log}");
            await Task.Delay(random.Next(0, 500), TestContext.Current.CancellationToken);
            if (kill % 2 == 0) File.Move(file, Path.Combine(folder, $"line.log.{kill}"));
            await gateway.KillAsync();
            await gateway.StartAsync();
        }
        await stop.CancelAsync();
        await writer;
        List<int> lines = [];
        await Eventually.TrueAsync(() => (lines = Lines(gateway)).Count >= written, 120, () => $"{lines.Count} of {written} lines arrived.\n{gateway.Log}");
        Assert.Equal(Enumerable.Range(0, written), lines);
        output.WriteLine($"{kills} kills, {written} lines: 0 lost, 0 doubled.");
    }

    static List<int> Lines(GatewayUnderTest gateway)
    {
        using var consumer = new ConsumerBuilder<string, string>(new ConsumerConfig { BootstrapServers = gateway.Broker, GroupId = "check", EnableAutoCommit = false, EnablePartitionEof = true })
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var lines = new List<int>();
        if (admin.GetMetadata(TimeSpan.FromSeconds(10)).Topics.All(t => t.Topic != "press-log")) return lines;
        var partition = new TopicPartition("press-log", 0);
        var end = consumer.QueryWatermarkOffsets(partition, TimeSpan.FromSeconds(10)).High.Value;      // it grows meanwhile
        consumer.Assign(new TopicPartitionOffset(partition, Offset.Beginning));
        while (lines.Count < end && consumer.Consume(TimeSpan.FromSeconds(10)) is { } record)
            if (!record.IsPartitionEOF)
                lines.Add(int.Parse(record.Message.Value.AsSpan(0, record.Message.Value.IndexOf(' ')), CultureInfo.InvariantCulture));
        return lines;
    }
}
