using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Testing;

namespace IotGateway.Tests.Mqtt.Protocol;

/// <summary>Mutated packets: no exception but the one, and memory within 64 KiB + 16 × input. <c>FUZZ=10000000</c> makes it long.</summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    static readonly MqttLimits Limits = new(1 << 20);

    [Fact]
    public void Mutated_packets_are_decoded_or_refused()
    {
        var rounds = (int)Fuzzer.Executions(200_000);
        var seed = Fuzzer.Seed;
        output.WriteLine($"seed {seed}, {rounds} rounds");
        var packets = new RandomPackets(seed);
        var refused = 0;
        var corpus = new List<byte[]>();
        for (var i = 0; i < 400; i++)
        {
            var version = i % 4 == 0 ? MqttVersion.V311 : MqttVersion.V5;
            var bytes = Codec.Encode(packets.Next(version), version);
            if (bytes.Length < 2_000) corpus.Add(bytes);
        }
        for (var i = 0; i < rounds; i++)
        {
            var bytes = Mutation.Of(corpus[packets.Random.Next(corpus.Count)], packets.Random);
            var version = (i & 3) == 0 ? MqttVersion.V311 : MqttVersion.V5;
            var before = GC.GetAllocatedBytesForCurrentThread();
            var ok = Try(bytes, version);
            var used = GC.GetAllocatedBytesForCurrentThread() - before;
            if (!ok) refused++;
            Assert.True(used <= 65_536 + 16L * bytes.Length, $"{used} bytes allocated for {Codec.Hex(bytes)}, seed {seed}");
        }
        Assert.InRange(refused, rounds / 10, rounds - rounds / 100); // both outcomes were exercised
    }

    static bool Try(byte[] bytes, MqttVersion version)
    {
        try
        {
            if (!PacketHeader.TryRead(bytes, version, Limits, out var header) || header.Total > bytes.Length) return false;
            var packet = MqttDecoder.Decode(header, bytes.AsMemory(header.Size, header.Body), version, Limits);
            foreach (var property in packet.Properties) GC.KeepAlive(property.Id);
            return true;
        }
        catch (MqttProtocolException)
        {
            return false;
        }
    }
}
