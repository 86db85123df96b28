using System.Text;
using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Mqtt.Session;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Protocol;

namespace IotGateway.Tests.Mqtt.Session;

/// <summary>
/// A broker that sends anything: packets and damaged packets through the real receive loop, session, mapping and acknowledgements, over connections
/// that end with the first violation, orderly or by a kill. No exception but the one, memory within 64 KiB + 16 × input, state that stays bounded and
/// can be loaded again. <c>FUZZ=10000000</c> makes it long.
/// </summary>
public sealed class SessionFuzzTests(ITestOutputHelper output)
{
    const int PacketsPerConnection = 20, ConnectionsPerLife = 50, ChunkOfReader = 64 * 1024;

    [Fact]
    public void A_broker_that_sends_anything_breaks_nothing()
    {
        var rounds = Fuzzer.Executions(20_000);
        output.WriteLine($"seed {Fuzzer.Seed}, {rounds} damaged packets among others");
        var random = new Random(Fuzzer.Seed);
        var packets = new RandomPackets(Fuzzer.Seed);
        var corpus = Enumerable.Range(0, 400).Select(_ => Codec.Encode(packets.Next(MqttVersion.V5), MqttVersion.V5)).Where(b => b.Length < 2_000).ToArray();
        var world = new World(random);
        long violations = 0, damaged = 0, connections = 0;
        while (damaged < rounds)
        {
            world.Begin();
            long used = 0, bytes = 0;
            for (var i = 0; i < ConnectionsPerLife; i++)
            {
                var input = Input(random, corpus, ref damaged);
                connections++;
                bytes += input.Length;
                var before = GC.GetAllocatedBytesForCurrentThread();
                if (world.Live(input)) violations++;
                used += GC.GetAllocatedBytesForCurrentThread() - before;
            }
            Assert.True(used <= ConnectionsPerLife * (ChunkOfReader + 65_536L) + 16 * bytes, $"{used} bytes allocated for {bytes} of input in {ConnectionsPerLife} connections, FUZZ_SEED={Fuzzer.Seed}");
            world.End();
        }
        output.WriteLine($"{connections} connections, {violations} ended by a violation, {world.Stored} messages stored, {world.Again} recognised, {world.Dead} dead letters");
        Assert.InRange(violations, connections / 10, connections - connections / 100); // both outcomes were exercised
        Assert.True(world.Stored > connections && world.Again > 0 && world.Dead > 0);
    }

    static byte[] Input(Random random, byte[][] corpus, ref long damaged)
    {
        var w = new WireWriter();
        for (var i = 0; i < PacketsPerConnection; i++)
        {
            var packet = random.Next(100) switch
            {
                < 72 => Codec.Encode(Message(random), MqttVersion.V5),
                < 99 => Codec.Encode(new AckPacket(PacketType.PubRel, (ushort)random.Next(1, 40)), MqttVersion.V5),
                _ => corpus[random.Next(corpus.Length)],
            };
            var damage = random.Next(12) == 0;
            if (damage) damaged++;
            w.Bytes(damage ? Mutation.Of(packet, random) : packet);
        }
        return w.Written.ToArray();
    }

    /// <summary>Few identifiers, topics and payloads, so that they meet again.</summary>
    static PublishPacket Message(Random random)
    {
        var qos = (byte)random.Next(3);
        var properties = new PropertiesBuilder();
        if (random.Next(4) == 0) properties.Number(PropertyId.TopicAlias, (uint)random.Next(1, 4));
        if (random.Next(4) == 0) properties.Number(PropertyId.SubscriptionId, (uint)random.Next(1, 5));
        return new()
        {
            Topic = random.Next(60) == 0 ? default : Encoding.UTF8.GetBytes($"{(char)('a' + random.Next(4))}/{random.Next(3)}"), Qos = qos, PacketId = qos > 0 ? (ushort)random.Next(1, 40) : (ushort)0,
            Dup = qos > 0 && random.Next(2) == 0, Retain = random.Next(2) == 0, Properties = properties.Build(),
            Payload = Encoding.UTF8.GetBytes(random.Next(3) switch { 0 => "21.5", 1 => $"{{\"v\":{random.Next(9)},\"l\":[1,{{}}]}}", _ => "{\"v\":" }),
        };
    }

    /// <summary>One connector's durable state over many connections, all on this thread.</summary>
    sealed class World(Random random) : IMqttHandler
    {
        readonly DurableStore _store = new();
        readonly ManualTime _still = new(); // nothing gathers, so that each connection ends on this thread
        readonly List<Inbound> _items = [];
        MessageMapper _mapper = null!;
        InboundSession _session = null!;

        public long Stored { get; private set; }

        public long Again { get; private set; }

        public long Dead { get; private set; }

        /// <summary>A new process with what the last one left.</summary>
        public void Begin()
        {
            var config = new MqttConfig
            {
                Endpoint = new Endpoints("mqtt://h"), Topic = "t.${topic[0]}", Device = "d", Tag = "${topic}",
                Subscriptions =
                [
                    new() { Filter = "a/#" }, new() { Filter = "b/+", Format = MqttFormat.Json }, new() { Filter = "c/#", Headers = new Dictionary<string, string> { ["x"] = "${payload.v}" } },
                    new() { Filter = "d/#", Format = MqttFormat.Json, Readings = [new() { Path = "$.v", Tag = "v" }, new() { Path = "$.l[*]", Tag = "l" }] },
                ],
            };
            _mapper = new(config, new FakeContext(_store), "c");
            _session = InboundSession.Load(_store.State);
        }

        /// <summary>The process ends.</summary>
        public void End()
        {
            if (random.Next(2) == 0 && _session.Close() is { } mark) _store.Apply([mark]);
            _session.Dispose();
            Assert.True(_store.State.Count < 2_000, $"{_store.State.Count} keys"); // 39 identifiers were used
            if (random.Next(8) == 0) _store.Apply(InboundSession.Reset(_store.State, "c@h")); // a new session
        }

        /// <summary>One connection; true when the broker broke the protocol.</summary>
        public bool Live(byte[] input)
        {
            _items.Clear();
            using var sender = new PacketSender(Stream.Null, TimeProvider.System);
            var reader = new PacketReader(new MemoryStream(input), new(1 << 20)) { Version = MqttVersion.V5 };
            var receiver = new Receiver(reader, sender, new PendingReplies(), new TopicAliases(64), this, MqttVersion.V5, _still, CancellationToken.None);
            var running = receiver.RunAsync();
            Assert.True(running.IsCompleted);
            Process(sender);
            if (running.IsCompletedSuccessfully) return false;
            Assert.True(running.Exception!.InnerException is MqttProtocolException or MqttRefusedException, $"{running.Exception}, FUZZ_SEED={Fuzzer.Seed}, {Convert.ToHexString(input)}");
            return true;
        }

        void Process(PacketSender sender)
        {
            var builder = new BatchBuilder(_session, new DropCounter(TimeProvider.System), MqttVersion.V5);
            var at = 0;
            var batch = builder.Build(_items, ref at, _mapper, out var owed);
            Assert.Equal(_items.Count, at); // all of it is little
            if (batch is null) return;
            Stored += batch.Records.Count + batch.Readings.Count;
            Again += owed.Redelivered;
            Dead += batch.Records.Count(r => r.Poison is not null);
            _store.Apply(batch.State);
            if (random.Next(4) == 0 || !_session.Fences.TryAcknowledging(owed.Batch)) return; // cut before the acknowledgements
            var sending = sender.SendAsync(owed, Acknowledgements.Encode, ping: true, CancellationToken.None);
            Assert.True(sending.IsCompletedSuccessfully);
            _session.Fences.Written(owed.Batch);
            _session.Fences.Sent(owed.Batch, owed.Batch);
            if (random.Next(3) != 0) _session.Fences.Answered(owed.Batch);
        }

        public ValueTask OnPublishAsync(PublishPacket packet, CancellationToken ct)
        {
            Assert.False(packet.Topic.IsEmpty);
            _items.Add(new(packet, 0, default));
            return default;
        }

        public ValueTask OnReleaseAsync(ushort packetId, CancellationToken ct)
        {
            _items.Add(new(null, packetId, default));
            return default;
        }

        public void OnPong(long ping) { }

        public ValueTask OnTickAsync() => default;
    }
}
