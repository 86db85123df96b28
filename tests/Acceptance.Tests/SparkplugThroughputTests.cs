using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Acceptance.Tests;

/// <summary>
/// How fast a Sparkplug plant gets into the synced log of the real gateway: <c>SPARKPLUG_MESSAGES</c> NDATA (2,000 unless told) of ten metrics each, as fast as
/// the log takes them. Packets and payloads are written by hand. None is lost: of ten metrics in each message there are ten records in the log.
/// </summary>
public sealed class SparkplugThroughputTests
{
    const int Metrics = 10;
    const int Ahead = 8_000; // messages on their way at once: with 10,000 waiting STATE says offline, which this edge node does not heed

    static readonly int Messages = Machine.Setting("SPARKPLUG_MESSAGES", 2_000);

    [Fact]
    public async Task Every_metric_of_a_fast_edge_node_is_in_the_log()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var gateway = new GatewayUnderTest();
        gateway.Connector("plant", new JsonObject { ["connector"] = "sparkplug", ["endpoint"] = $"mqtt://127.0.0.1:{broker.Port}", ["hostId"] = "plant-host" });
        await gateway.StartAsync();
        await gateway.RunningAsync("plant");
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = gateway.Broker, GroupId = "end" }).SetLogHandler((_, _) => { }).Build();
        long Stored() => consumer.QueryWatermarkOffsets(new TopicPartition("plant", 0), TimeSpan.FromSeconds(30)).High.Value;

        using var edge = new TcpClient();
        await edge.ConnectAsync(IPAddress.Loopback, broker.Port, TestContext.Current.CancellationToken);
        var stream = edge.GetStream();
        await stream.WriteAsync(new byte[] { 0x10, 13, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 2, 0, 0, 0, 1, (byte)'e' }, TestContext.Current.CancellationToken);
        await stream.ReadExactlyAsync(new byte[4], TestContext.Current.CancellationToken);
        await stream.WriteAsync(Birth(), TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => gateway.CliAsync("topics").GetAwaiter().GetResult().Contains("plant", StringComparison.Ordinal) && Stored() == Metrics, 60, () => $"the birth is not in the log:\n{gateway.Log}");

        var processor = gateway.Process!.Process;
        processor.Refresh();
        var (before, watch) = (processor.TotalProcessorTime, Stopwatch.StartNew());
        for (var i = 1; i <= Messages; i++)
        {
            if (i % 500 == 0) await Eventually.TrueAsync(() => i - Stored() / Metrics < Ahead, 60, () => $"{Stored()} values of {i} messages are in the log.\n{gateway.Log}");
            await stream.WriteAsync(Data(i), TestContext.Current.CancellationToken);
        }
        await Eventually.TrueAsync(() => Stored() >= (Messages + 1L) * Metrics, 60, () => $"{Stored()} of {(Messages + 1L) * Metrics} values are in the log.\n{gateway.Log}");
        var seconds = watch.Elapsed.TotalSeconds;
        processor.Refresh();
        Assert.Equal((Messages + 1L) * Metrics, Stored());
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Messages} messages of {Metrics} metrics stored in {seconds:0.00} s, {Messages / seconds:0} messages/s, {Messages * Metrics / seconds:0} values/s, {(processor.TotalProcessorTime - before).TotalMicroseconds / (Messages * Metrics):0.0} µs of processor a value"));
        await gateway.StopAsync();
    }

    // Field numbers of sparkplug_b.proto: Payload { timestamp 1, metrics 2, seq 3 }, Metric { name 1, alias 2, datatype 4, int_value 10, long_value 11 }.
    static byte[] Birth()
    {
        List<byte> payload = [.. Number(1, Now()), .. Number(3, 0), .. Message(2, [.. Part(1, "bdSeq"u8), .. Number(4, 4), .. Number(11, 1)])];
        for (var m = 0; m < Metrics; m++) payload.AddRange(Message(2, [.. Part(1, Encoding.ASCII.GetBytes($"line/metric{m}")), .. Number(2, (ulong)m + 1), .. Number(4, 3), .. Number(10, 0)]));
        return Publish("spBv1.0/plant/NBIRTH/edge", payload);
    }

    static byte[] Data(int number)
    {
        List<byte> payload = [.. Number(1, Now()), .. Number(3, (ulong)number & 255)];
        for (var m = 0; m < Metrics; m++) payload.AddRange(Message(2, [.. Number(2, (ulong)m + 1), .. Number(10, (ulong)number)]));
        return Publish("spBv1.0/plant/NDATA/edge", payload);
    }

    static ulong Now() => (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    static List<byte> Number(int field, ulong value) => [.. Varint((ulong)field << 3), .. Varint(value)];

    static List<byte> Part(int field, ReadOnlySpan<byte> bytes) => [.. Varint((ulong)field << 3 | 2), .. Varint((ulong)bytes.Length), .. bytes];

    static List<byte> Message(int field, List<byte> bytes) => Part(field, bytes.ToArray());

    /// <summary>Base 128, the lowest first: protobuf's numbers and MQTT's lengths (MQTT 3.1.1 §2.2.3).</summary>
    static List<byte> Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value > 0x7F; value >>= 7) bytes.Add((byte)(value & 0x7F | 0x80));
        bytes.Add((byte)value);
        return bytes;
    }

    static byte[] Publish(string topic, List<byte> payload)
        => [0x30, .. Varint((ulong)(2 + topic.Length + payload.Count)), 0, (byte)topic.Length, .. Encoding.ASCII.GetBytes(topic), .. payload];
}
