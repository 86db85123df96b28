using IotGateway.Broker.Protocol;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.Protocol;

/// <summary>
/// Every message of every API in every version, headers included, given random and mutated bytes: refused as malformed or taken, in time, with little
/// memory. FUZZ says how many inputs, shared out among the messages; seed printed (<see cref="Fuzzer"/>).
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_message_of_every_version_is_read_or_refused()
    {
        var random = new Random(Fuzzer.Seed);
        var kinds = Codec.All.SelectMany(codec => codec.Versions.Select(version => (codec, version))).ToList();
        var each = Math.Max(1, Fuzzer.Executions(200_000) / kinds.Count);
        output.WriteLine($"FUZZ_SEED={Fuzzer.Seed}, {each} inputs for each of {kinds.Count} messages and versions");
        var refused = 0L;
        foreach (var (codec, version) in kinds)
        {
            var corpus = Enumerable.Range(0, 6).Select(i => MessageTests.TryWrite(codec, new RandomMessage(random, nulls: i > 2, small: i % 2 == 0).Create(codec.Message), version))
                .OfType<byte[]>().Select(body => Frame(codec, version, body)).ToList();
            var fuzzer = new Fuzzer($"{codec}.{version}", Fuzzer.Seed);
            fuzzer.Run(each, corpus, frame => Read(codec, version, frame), e => e is ProtocolException);
            refused += fuzzer.Refused;
        }
        output.WriteLine($"{refused} refused");
        Assert.InRange(refused, each * kinds.Count / 20, each * kinds.Count * 19 / 20); // both outcomes were exercised
    }

    static byte[] Frame(Codec codec, short version, byte[] body)
    {
        using var writer = new KafkaWriter();
        new RequestHeader(codec.Api, version, 1, "fuzz").Write(writer, codec.IsFlexible(version));
        return [.. writer.ToArray(), .. body];
    }

    static void Read(Codec codec, short version, byte[] frame)
    {
        var reader = new KafkaReader(frame);
        RequestHeader.ReadStart(ref reader).ReadRest(ref reader, codec.IsFlexible(version));
        codec.Read(frame.AsMemory(reader.Position), version, out _);
    }
}
