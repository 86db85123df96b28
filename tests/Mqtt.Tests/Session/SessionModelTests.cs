using System.Globalization;
using System.Text;
using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Mqtt.Session;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Testing;

namespace IotGateway.Tests.Mqtt.Session;

/// <summary>
/// A model of a broker against the real session state, cut at random: messages lost on the wire, batches not appended, appended and
/// not acknowledged, acknowledgements lost, orderly closes and kills. Without sockets, so that thousands of lives take a second.
/// </summary>
public sealed class SessionModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false, true)] // identifiers counted up, as mosquitto does
    [InlineData(true, true)] // the lowest free one at once, as HiveMQ does
    [InlineData(true, false)] // no DUP on redelivery, as aedes does
    public void Nothing_is_lost_and_nothing_stored_twice(bool lowestFree, bool marksDup)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var world = 0; world < 60; world++)
        {
            var broker = new ModelBroker(lowestFree, marksDup);
            var store = new DurableStore();
            var inDoubt = 0;
            for (var life = 0; life < 40; life++)
            {
                for (var n = random.Next(30); n > 0; n--) broker.Publish((byte)random.Next(1, 3));
                inDoubt += new ModelGateway(store, broker, random).Live(cut: true);
            }
            for (var life = 0; !broker.IsDrained && life < 200; life++) new ModelGateway(store, broker, random).Live(cut: false);
            var stored = store.Records.Select(r => int.Parse(Encoding.UTF8.GetString(r.Value!.Value.Span), CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(Enumerable.Range(1, broker.Published), stored.Distinct().Order());
            var twice = stored.Count - broker.Published;
            Assert.InRange(twice, 0, marksDup ? 0 : inDoubt);
        }
    }

    /// <summary>Keeps a session as a broker must: in flight until acknowledged, sent again in order on every connection (MQTT 5 §4.4).</summary>
    sealed class ModelBroker(bool lowestFree, bool marksDup)
    {
        sealed class Flight(ushort id, byte qos, int number)
        {
            public readonly ushort Id = id;
            public readonly byte Qos = qos;
            public readonly int Number = number;
            public bool Released, Sent;
        }

        const int Window = 20;
        readonly Queue<(byte Qos, int Number)> _waiting = new();
        readonly List<Flight> _flights = [];
        ushort _last;

        public int Published { get; private set; }

        public bool IsDrained => _waiting.Count == 0 && _flights.Count == 0;

        public void Publish(byte qos) => _waiting.Enqueue((qos, ++Published));

        public void Connect()
        {
            foreach (var flight in _flights) flight.Sent = false;
            _again = [.. _flights];
        }

        HashSet<Flight> _again = [];

        /// <summary>What goes out next; null when the window is full or nothing waits.</summary>
        public Inbound? Next()
        {
            while (_flights.Count < Window && _waiting.TryDequeue(out var next)) _flights.Add(new(NextId(), next.Qos, next.Number));
            if (_flights.Find(f => !f.Sent) is not { } flight) return null;
            flight.Sent = true;
            if (flight.Released) return new(null, flight.Id, default);
            return new(FakePublish(flight, marksDup && _again.Contains(flight)), 0, default);
        }

        static PublishPacket FakePublish(Flight f, bool dup) => Brokers.FakeConnection.Message(f.Id, f.Number.ToString(CultureInfo.InvariantCulture), f.Qos, dup);

        public void Receive(AckPacket ack)
        {
            if (_flights.Find(f => f.Id == ack.PacketId) is not { } flight) return;
            if (ack.Type == PacketType.PubRec) (flight.Released, flight.Sent) = (true, false);
            else _flights.Remove(flight);
        }

        ushort NextId()
        {
            var id = lowestFree ? (ushort)0 : _last;
            do id = id == 60 ? (ushort)1 : (ushort)(id + 1);
            while (_flights.Exists(f => f.Id == id));
            return _last = id;
        }
    }

    /// <summary>One life of the connector, on the real session and builder.</summary>
    sealed class ModelGateway(DurableStore store, ModelBroker broker, Random random)
    {
        /// <summary>Lives until a random end; returns how many PUBACKs were in doubt then.</summary>
        public int Live(bool cut)
        {
            using var session = InboundSession.Load(store.State);
            var config = new MqttConfig { Endpoint = new Endpoints("mqtt://h"), Subscriptions = [new() { Filter = "#" }] };
            var mapper = new MessageMapper(config, new FakeContext(store), "c");
            var builder = new BatchBuilder(session, new DropCounter(TimeProvider.System), MqttVersion.V5);
            broker.Connect();
            var pings = 0L;
            var closing = false;
            for (var steps = cut ? random.Next(1, 12) : 60; steps > 0 && !closing; steps--)
            {
                var items = new List<Inbound>();
                for (var n = random.Next(1, 10); n > 0 && broker.Next() is { } item; n--) items.Add(item);
                var at = 0;
                if (builder.Build(items, ref at, mapper, out var owed) is not { } batch) continue;
                var last = cut && steps == 1;
                if (last && random.Next(3) == 0) break; // killed before the append
                store.Append(batch);
                if (last && random.Next(2) == 0) closing = true; // closed or killed between append and acknowledgement
                if (closing) break;
                session.Fences.TryAcknowledging(owed.Batch);
                var acks = Decode(owed);
                var arriving = last ? random.Next(acks.Count + 1) : acks.Count; // the connection breaks among them
                foreach (var ack in acks.Take(arriving)) broker.Receive(ack);
                session.Fences.Written(owed.Batch);
                if (last || random.Next(2) != 0) continue;
                session.Fences.Sent(++pings, owed.Batch);
                session.Fences.Answered(pings);
            }
            if (cut && random.Next(2) == 0) return store.State.Keys.Count(k => k.StartsWith("q1/", StringComparison.Ordinal)) * 10;
            if (session.Close() is { } mark) store.Apply([mark]);
            return store.State.Keys.Count(k => k.StartsWith("q1/", StringComparison.Ordinal)) * 10; // at most ten entries per batch
        }

        static List<AckPacket> Decode(Acknowledgements owed)
        {
            var w = new WireWriter();
            Acknowledgements.Encode(w, owed);
            var acks = new List<AckPacket>();
            for (var rest = w.Written; !rest.IsEmpty;)
            {
                PacketHeader.TryRead(rest.Span, MqttVersion.V5, MqttLimits.Protocol, out var header);
                acks.Add((AckPacket)MqttDecoder.Decode(header, rest.Slice(header.Size, header.Body), MqttVersion.V5, MqttLimits.Protocol));
                rest = rest[header.Total..];
            }
            return acks;
        }
    }
}
