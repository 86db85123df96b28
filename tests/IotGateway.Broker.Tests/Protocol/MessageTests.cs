using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Tests.Protocol;

public sealed class MessageTests(ITestOutputHelper output)
{
    readonly int _seed = Environment.TickCount;

    public static TheoryData<string> Names => [.. Codec.All.Select(c => c.ToString())];

    [Fact]
    public void Every_api_has_a_request_and_a_response()
        => Assert.All(Enum.GetNames<ApiKey>(), name => Assert.Equal([name + "Request", name + "Response"],
            Codec.All.Select(c => c.ToString()).Where(c => c == name + "Request" || c == name + "Response")));

    [Theory, MemberData(nameof(Names))]
    public void Reads_back_what_it_writes(string name)
    {
        output.WriteLine($"seed {_seed}");
        foreach (var (codec, version, bytes) in Samples(name, new Random(_seed), 10))
        {
            var message = codec.Read(bytes, version, out var left);
            Assert.Equal(0, left);
            Assert.Equal(bytes, codec.Write(message, version));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Refuses_a_message_cut_at_any_byte(string name)
    {
        output.WriteLine($"seed {_seed}");
        foreach (var (codec, version, bytes) in Samples(name, new Random(_seed), 1))
            for (var length = 0; length < Math.Min(bytes.Length, 600); length++)
                Assert.Throws<ProtocolException>(() => codec.Read(bytes.AsMemory(0, length), version, out _));
    }

    [Theory, MemberData(nameof(Names))]
    public void Takes_any_bytes_without_another_exception_or_much_memory(string name)
    {
        output.WriteLine($"seed {_seed}");
        var random = new Random(_seed);
        foreach (var (codec, version, bytes) in Samples(name, random, 2))
        {
            for (var round = 0; round < 200; round++)
            {
                var mutated = Mutate(bytes, random);
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    codec.Read(mutated, version, out _);
                }
                catch (ProtocolException)
                {
                    // what it is for
                }
                var used = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(used <= Math.Max(1 << 20, 16L * mutated.Length) + 16_384, $"{codec} v{version}: {used} bytes for {mutated.Length}");
            }
        }
    }

    [Fact]
    public void A_claimed_length_allocates_nothing_before_it_is_checked()
    {
        byte[] claim = [0x7f, 0xff, 0xff, 0xff]; // Metadata version 1: an array of 2^31-1 topics
        var codec = Codec.All.Single(c => c.ToString() == "MetadataRequest");
        Assert.Throws<ProtocolException>(() => codec.Read(claim, 1, out _));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ProtocolException>(() => codec.Read(claim, 1, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32_768);
    }

    [Fact]
    public void An_array_of_the_smallest_elements_hits_the_budget()
    {
        // 8 MiB of two-byte topics (an empty name, no tags) would be objects of forty bytes each.
        var bytes = new byte[8 << 20];
        using (var writer = new KafkaWriter())
        {
            writer.WriteUnsignedVarint((4 << 20) - 10);
            writer.ToArray().CopyTo(bytes, 0);
        }
        for (var i = 4; i < bytes.Length; i += 2) bytes[i] = 1;
        var codec = Codec.All.Single(c => c.ToString() == "MetadataRequest");
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refusal = Assert.Throws<ProtocolException>(() => codec.Read(bytes, 9, out _));
        Assert.Contains("16 times", refusal.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (16L * bytes.Length) + 16_384);
    }

    /// <summary>Random messages of one type in all its versions.</summary>
    internal static IEnumerable<(Codec Codec, short Version, byte[] Bytes)> Samples(string name, Random random, int count)
    {
        var codec = Codec.All.Single(c => c.ToString() == name);
        foreach (var version in codec.Versions)
        {
            for (var i = 0; i < count; i++)
            {
                yield return (codec, version, codec.Write(new RandomMessage(random, nulls: false).Create(codec.Message), version));
                if (TryWrite(codec, new RandomMessage(random, nulls: true).Create(codec.Message), version) is { } bytes) yield return (codec, version, bytes);
            }
        }
    }

    /// <summary>Null where a version does not allow a null that others do.</summary>
    internal static byte[]? TryWrite(Codec codec, object message, short version)
    {
        try
        {
            return codec.Write(message, version);
        }
        catch (InvalidOperationException refused) when (refused.Message.Contains("null", StringComparison.Ordinal))
        {
            return null;
        }
    }

    static byte[] Mutate(byte[] bytes, Random random)
    {
        var mutated = bytes.ToArray();
        switch (random.Next(4))
        {
            case 0: random.NextBytes(mutated); break;
            case 1 when mutated.Length > 4: random.NextBytes(mutated.AsSpan(random.Next(mutated.Length - 4), 4)); break;
            case 2 when mutated.Length > 4: mutated.AsSpan(random.Next(mutated.Length - 4), 4).Fill(0x7f); break;
            default: if (mutated.Length > 0) mutated[random.Next(mutated.Length)] = (byte)random.Next(256); break;
        }
        return mutated;
    }
}
