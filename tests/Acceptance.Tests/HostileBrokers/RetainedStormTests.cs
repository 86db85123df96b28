using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Acceptance.Tests.Interruptions;
using Confluent.Kafka;

namespace Acceptance.Tests.HostileBrokers;

/// <summary>
/// R15: tens of thousands of retained messages at once, whenever the connector subscribes, while live ones go on. <c>RETAINED_STORMS</c> times (2 unless told), each
/// with a new connection: memory stays bounded, every message is stored once for each storm and marked as retained, the live ones once and in order.
/// </summary>
public sealed class RetainedStormTests
{
    const int Topics = 20_000, Size = 8_000; // 160 MB a storm
    const int MostGrowth = 150; // MiB of RSS: 8 in flight, the log's own buffers, and the heap's garbage

    static readonly int Storms = Machine.Setting("RETAINED_STORMS", 2);

    readonly Dictionary<string, int> _retained = [];
    readonly List<int> _live = [];
    long _next;

    [Fact]
    public async Task Every_retained_message_is_stored_once_a_storm_and_memory_stays_bounded()
    {
        await using var broker = await Mosquitto.StartAsync();
        await RetainAsync(broker.Port);
        await using var proxy = new CuttingProxy(broker.Port);
        await using var gateway = new GatewayUnderTest();
        gateway.Connector("storm", new JsonObject
        {
            ["connector"] = "mqtt", ["endpoint"] = $"mqtt://127.0.0.1:{proxy.Port}", ["version"] = "5.0", ["clientId"] = "gateway", ["maxPacketSize"] = "1MiB", ["maxInFlight"] = "8MiB",
            ["subscriptions"] = new JsonArray(new JsonObject { ["filter"] = "storm/#", ["qos"] = 1, ["retained"] = "always" }, new JsonObject { ["filter"] = "live", ["qos"] = 1 }),
            ["retry"] = new JsonObject { ["initial"] = "100ms", ["max"] = "500ms" },
        });
        await gateway.StartAsync();
        var before = Resident(gateway);
        await gateway.RunningAsync("storm");
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig { BootstrapServers = gateway.Broker, GroupId = "check", EnableAutoCommit = false }).SetLogHandler((_, _) => { }).Build();
        var (largest, sent) = (0, 0);
        for (var storm = 1; storm <= Storms; storm++)
        {
            if (storm > 1) await proxy.CutAsync(loseAcks: false, loseMessages: false, 0);
            await broker.PublishAsync("live", Enumerable.Range(sent, 200).Select(n => n.ToString("D13", CultureInfo.InvariantCulture)), 60); // as long as the proxy expects
            sent += 200;
            await Eventually.TrueAsync(() =>
            {
                Read(consumer);
                largest = Math.Max(largest, Resident(gateway));
                return _retained.Values.Sum() >= storm * Topics && _live.Count >= sent;
            }, 120, () => $"storm {storm}: {_retained.Values.Sum()} retained messages of {storm * Topics}, {_live.Count} live ones of {sent}.\n{gateway.Log}");
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"{Storms} storms of {Topics} messages of {Size} bytes: RSS {before} MiB before, {largest} MiB at most");
        Assert.Equal(Topics, _retained.Count);
        Assert.All(_retained, t => Assert.Equal((t.Key, Storms), (t.Key, t.Value)));
        Assert.Equal(Enumerable.Range(0, sent), _live);
        Assert.InRange(largest, 1, before + MostGrowth);
        await gateway.StopAsync();
    }

    /// <summary>Reads what is there now.</summary>
    void Read(IConsumer<Ignore, byte[]> consumer)
    {
        var partition = new TopicPartition("storm", 0);
        consumer.Assign(new TopicPartitionOffset(partition, _next));
        while (consumer.Consume(TimeSpan.FromMilliseconds(500)) is { } record)
        {
            _next = record.Offset.Value + 1;
            var topic = Text(record.Message.Headers, "mqtt.topic");
            if (topic == "live")
            {
                Assert.Equal("false", Text(record.Message.Headers, "mqtt.retain"));
                _live.Add(int.Parse(record.Message.Value, CultureInfo.InvariantCulture));
                continue;
            }
            Assert.Equal("true", Text(record.Message.Headers, "mqtt.retain"));
            Assert.Equal(Size, record.Message.Value.Length);
            _retained[topic] = _retained.GetValueOrDefault(topic) + 1;
        }
    }

    static string Text(Headers headers, string name) => Encoding.UTF8.GetString(headers.GetLastBytes(name));

    /// <summary>Leaves a retained message at each topic; MQTT 3.1.1 written by hand.</summary>
    static async Task RetainAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        var stream = client.GetStream();
        await stream.WriteAsync(new byte[] { 0x10, 13, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 2, 0, 0, 0, 1, (byte)'p' });
        await stream.ReadExactlyAsync(new byte[4]);
        var answers = stream.ReadExactlyAsync(new byte[4 * Topics]); // a PUBACK each
        for (var i = 0; i < Topics; i++)
        {
            var topic = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"storm/{i:D5}"));
            var length = 2 + topic.Length + 2 + Size;
            await stream.WriteAsync((byte[])[0x33, (byte)(length & 0x7F | 0x80), (byte)(length >> 7), 0, (byte)topic.Length, .. topic, (byte)(i + 1 >> 8), (byte)(i + 1), .. new byte[Size]]);
        }
        await answers.AsTask().WaitAsync(TimeSpan.FromSeconds(60));
    }

    static int Resident(GatewayUnderTest gateway)
        => int.Parse(File.ReadLines($"/proc/{gateway.Process!.Process.Id}/status").First(l => l.StartsWith("VmRSS", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
}
