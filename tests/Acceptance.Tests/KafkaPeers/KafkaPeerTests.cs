using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Acceptance.Tests.KafkaPeers;

/// <summary>
/// What an independent Kafka client, neither Java's nor librdkafka, must find in the real gateway. A client's tests derive. Whether a client was told the truth is asked of librdkafka.
/// </summary>
public abstract class KafkaPeerTests
{
    const string Password = "a-password-of-the-line";

    /// <summary>What runs the client's program; skips the test where it cannot be installed.</summary>
    protected abstract Task<string[]> ProgramAsync();

    /// <summary>Whether its producer sends nothing twice, however often it tries.</summary>
    protected abstract bool IsIdempotent { get; }

    /// <summary>What it says when a password is wrong.</summary>
    protected abstract string Refusal { get; }

    [Theory, InlineData("none"), InlineData("gzip"), InlineData("snappy"), InlineData("lz4"), InlineData("zstd")]
    public async Task Ten_thousand_records_come_back_to_the_byte_and_the_group_goes_on_where_it_committed(string codec)
    {
        await using var gateway = await StartAsync();
        await gateway.CliAsync("topics", "create", "t", "--partitions", "3");
        var made = PeerRecord.Make(10_000);
        await ProduceAsync(gateway, "t", made, codec);
        await using (var reader = await ConsumeAsync(gateway, "t", "readers"))
        {
            await reader.UntilAsync(r => r.Committed.Values.Sum() >= made.Length, "not all is read and committed");
            await reader.LeaveAsync();
            var read = reader.Records;
            Assert.Equal(made.Select(PeerRecord.ContentOf), read.OrderBy(r => r.Timestamp).Select(r => r.Content));
            AssertInOrder(read);
            Assert.All(read.Where(r => r.Key is not null).GroupBy(r => r.Key), key => Assert.Single(key.Select(r => r.Partition).Distinct()));
            Assert.Equal(Ends(read), await CommittedAsync(gateway, "readers", "t"));
        }
        var more = PeerRecord.Make(100, made.Length);
        await ProduceAsync(gateway, "t", more, codec);
        await using var again = await ConsumeAsync(gateway, "t", "readers");
        await again.UntilAsync(r => r.Records.Length >= more.Length, "what came later is not read");
        await again.LeaveAsync();
        Assert.Equal(more.Select(PeerRecord.ContentOf), again.Records.OrderBy(r => r.Timestamp).Select(r => r.Content));
        await gateway.StopAsync();
        // kafka-python leaves a batch as it is when packing it makes it no smaller.
        Assert.Equal([Array.IndexOf(["none", "gzip", "snappy", "lz4", "zstd"], codec)], Batches(gateway, "t").Where(b => b.Records > 20).Select(b => b.Codec).Distinct());
    }

    [Fact]
    public async Task When_one_of_two_members_leaves_the_other_reads_on_and_nothing_is_lost()
    {
        await using var gateway = await StartAsync();
        await gateway.CliAsync("topics", "create", "t", "--partitions", "4");
        await using var stays = await ConsumeAsync(gateway, "t", "pair");
        await using var leaves = await ConsumeAsync(gateway, "t", "pair");
        await stays.UntilAsync(s => s.Assigned.Length == 2 && leaves.Assigned.Length == 2, "the two do not have their halves");
        Assert.Equal([0, 1, 2, 3], stays.Assigned.Concat(leaves.Assigned).Order());

        var made = PeerRecord.Make(10_000);
        await using var producer = await ProducerAsync(gateway, "t", made, wait: true);
        await leaves.UntilAsync(l => l.Records.Length > 500, "the second reads nothing");
        await leaves.LeaveAsync();
        await stays.UntilAsync(s => s.Assigned.Length == 4, "the first is not given what the second had");
        await producer.TellAsync(); // so the end comes to one member alone
        Assert.True(await producer.EndAsync() == 0, producer.Errors);
        await stays.UntilAsync(s => s.Records.Concat(leaves.Records).DistinctBy(r => (r.Partition, r.Offset)).Count() >= made.Length && s.Committed.Count == 4, "records are unread");
        await stays.LeaveAsync();

        var read = stays.Records.Concat(leaves.Records).DistinctBy(r => (r.Partition, r.Offset)).ToArray();
        Assert.Equal(made.Select(PeerRecord.ContentOf), read.OrderBy(r => r.Timestamp).Select(r => r.Content));
        AssertInOrder([.. read.OrderBy(r => r.Offset)]);
        Assert.Equal(Ends(read), await CommittedAsync(gateway, "pair", "t"));
        await gateway.StopAsync();
    }

    [Fact]
    public async Task After_a_kill_the_client_goes_on_by_itself_and_committed_offsets_are_where_they_were()
    {
        await using var gateway = await StartAsync();
        await gateway.CliAsync("topics", "create", "t", "--partitions", "3");
        // kafkajs gives records without a key to other partitions when it tries again, with the sequence numbers of the first time: what is in the log is not what it repeats, and refused.
        var (before, through) = (PeerRecord.Make(2_000), PeerRecord.Make(8_000, 2_000, keyless: false));
        await ProduceAsync(gateway, "t", before);
        await using (var rests = await ConsumeAsync(gateway, "t", "rests"))
        {
            await rests.UntilAsync(r => r.Committed.Values.Sum() >= before.Length, "not all is read and committed");
            await rests.LeaveAsync();
        }
        var resting = await CommittedAsync(gateway, "rests", "t");
        Assert.Equal(before.Length, resting.Values.Sum());

        await using var goesOn = await ConsumeAsync(gateway, "t", "goes-on");
        await goesOn.UntilAsync(r => r.Committed.Values.Sum() >= before.Length, "not all is read and committed");
        await using var producer = await ProducerAsync(gateway, "t", through, wait: true, part: 100);
        await producer.UntilAsync(p => p.Acked >= 1_000, "nothing is written");
        await gateway.KillAsync();
        var (acked, committed) = (producer.Acked, goesOn.Committed);
        Assert.InRange(acked, 1_000, through.Length - 1);
        await gateway.StartAsync();

        Assert.Equal(resting, await CommittedAsync(gateway, "rests", "t"));
        Assert.All(await CommittedAsync(gateway, "goes-on", "t"), now => Assert.True(now.Value >= committed[now.Key], $"{now.Value} is committed in partition {now.Key}, {committed[now.Key]} was"));
        await producer.TellAsync();
        Assert.True(await producer.EndAsync() == 0, producer.Errors);
        Assert.Equal(through.Length, producer.Acked);
        await goesOn.UntilAsync(r => r.Records.DistinctBy(x => x.Timestamp).Count() >= 10_000, "records are unread");

        await using var wakes = await ConsumeAsync(gateway, "t", "rests");
        await wakes.UntilAsync(r => r.Records.DistinctBy(x => x.Timestamp).Count() >= through.Length, "records are unread");
        await wakes.LeaveAsync();
        await goesOn.LeaveAsync();
        var log = wakes.Records;
        Assert.All(log.GroupBy(r => r.Partition), p => Assert.Equal(Enumerable.Range(0, p.Count()).Select(i => resting[p.Key] + i), p.Select(r => r.Offset)));
        Assert.Equal(through.Select(PeerRecord.ContentOf), (IsIdempotent ? log : log.DistinctBy(r => r.Timestamp)).OrderBy(r => r.Timestamp).Select(r => r.Content));
        Assert.Equal(before.Concat(through).Select(PeerRecord.ContentOf), goesOn.Records.DistinctBy(r => r.Timestamp).OrderBy(r => r.Timestamp).Select(r => r.Content));
        TestContext.Current.TestOutputHelper!.WriteLine($"killed after {acked} acknowledged records; {log.Length - through.Length} came twice");
        await gateway.StopAsync();
    }

    [Theory, InlineData("PLAIN"), InlineData("SCRAM-SHA-256"), InlineData("SCRAM-SHA-512")]
    public async Task Logs_in_and_is_refused_with_a_wrong_password(string mechanism)
    {
        await using var gateway = await StartAsync(o =>
        {
            o["broker"]!["sasl"] = new JsonObject { ["mechanisms"] = new JsonArray(mechanism) };
            o["broker"]!["users"] = new JsonArray(new JsonObject { ["name"] = "line", ["password"] = Password });
        });
        JsonObject Login(string password) => new() { ["mechanism"] = mechanism, ["username"] = "line", ["password"] = password };

        var made = PeerRecord.Make(200);
        await using (var producer = await ProducerAsync(gateway, "t", made, sasl: Login(Password))) Assert.True(await producer.EndAsync() == 0, producer.Errors);
        await using (var reader = await ConsumeAsync(gateway, "t", "readers", Login(Password)))
        {
            await reader.UntilAsync(r => r.Committed.Values.Sum() >= made.Length, "not all is read and committed");
            await reader.LeaveAsync();
            Assert.Equal(made.Select(PeerRecord.ContentOf), reader.Records.OrderBy(r => r.Timestamp).Select(r => r.Content));
        }
        foreach (var sasl in (JsonObject?[])[Login(Password + "x"), null])
        {
            await using var stranger = await ProducerAsync(gateway, "t", made, patience: 3, sasl: sasl); // kafka-python tries for that long to reach who does not speak to it
            Assert.NotEqual(0, await stranger.EndAsync());
            Assert.Equal(0, stranger.Acked);
            if (sasl is not null) Assert.Contains(Refusal, stranger.Errors, StringComparison.Ordinal);
        }
        Assert.Matches($"did not get in as user 'line' on listener .* by {mechanism}", gateway.Log);
        await gateway.StopAsync();
    }

    [Fact]
    public async Task Topics_and_groups_are_made_told_and_deleted()
    {
        await using var gateway = await StartAsync();
        await gateway.CliAsync("topics", "create", "read", "--partitions", "2");
        var made = PeerRecord.Make(100);
        await ProduceAsync(gateway, "read", made);
        await using (var reader = await ConsumeAsync(gateway, "read", "readers"))
        {
            await reader.UntilAsync(r => r.Committed.Values.Sum() >= made.Length, "not all is read and committed");
            await reader.LeaveAsync();
        }
        var committed = await CommittedAsync(gateway, "readers", "read");

        await using var admin = new KafkaPeer(await ProgramAsync(), "admin", new() { ["broker"] = gateway.Broker, ["topic"] = "made", ["read"] = "read", ["group"] = "readers" });
        Assert.True(await admin.EndAsync() == 0, admin.Errors);
        AssertTold(admin, """{"event":"created","error":0,"partitions":[0,1,2,3,4],"leaders":[1],"retention":"3600000"}""");
        AssertTold(admin, """{"event":"altered","retention":"7200000"}""");
        AssertTold(admin, """{"event":"refused","code":36}""");
        AssertTold(admin, $$"""{"event":"groups","names":["readers"],"kind":"consumer","state":"Empty","members":0,"offsets":[[0,{{committed[0]}}],[1,{{committed[1]}}]]}""");
        AssertTold(admin, """{"event":"deleted","groups":[["readers",0]],"topics":[["made",0],["read",0]]}""");
        Assert.Equal("[]", admin.Last("after")!["groups"]!.ToJsonString());
        Assert.DoesNotContain(admin.Last("after")!["topics"]!.AsArray(), t => (string?)t is "made" or "read");
        Assert.DoesNotMatch("made|read", await gateway.CliAsync("topics"));

        var client = admin.Last("client")!;
        Assert.Contains($"{client["name"]} {client["version"]}", await File.ReadAllTextAsync(Path.Combine(Machine.Root, "src/IotGateway.Broker/README.md"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await gateway.StopAsync();
    }

    static void AssertTold(KafkaPeer peer, string expected)
    {
        var told = peer.Last((string)JsonNode.Parse(expected)!["event"]!);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), told), $"Expected {expected}, told was {told?.ToJsonString()}\n{peer.Errors}");
    }

    async Task<GatewayUnderTest> StartAsync(Action<JsonObject>? options = null)
    {
        await ProgramAsync(); // installs it, or skips
        var gateway = new GatewayUnderTest(gatewayOptions: options);
        await gateway.StartAsync();
        return gateway;
    }

    async Task ProduceAsync(GatewayUnderTest gateway, string topic, string[] records, string codec = "none")
    {
        await using var producer = await ProducerAsync(gateway, topic, records, codec);
        Assert.True(await producer.EndAsync() == 0 && producer.Acked == records.Length, producer.Errors);
    }

    async Task<KafkaPeer> ProducerAsync(GatewayUnderTest gateway, string topic, string[] records, string codec = "none", bool wait = false, int part = 500, int patience = 60, JsonObject? sasl = null,
        [CallerArgumentExpression(nameof(records))] string name = "")
    {
        var file = Path.Combine(gateway.Root, name + ".jsonl");
        await File.WriteAllLinesAsync(file, records, TestContext.Current.CancellationToken);
        var order = new JsonObject { ["broker"] = gateway.Broker, ["topic"] = topic, ["file"] = file, ["codec"] = codec, ["part"] = part, ["wait"] = wait, ["patience"] = patience, ["idempotent"] = IsIdempotent };
        if (sasl is not null) order["sasl"] = sasl;
        return new(await ProgramAsync(), "produce", order);
    }

    async Task<KafkaPeer> ConsumeAsync(GatewayUnderTest gateway, string topic, string group, JsonObject? sasl = null)
    {
        var order = new JsonObject { ["broker"] = gateway.Broker, ["topic"] = topic, ["group"] = group };
        if (sasl is not null) order["sasl"] = sasl;
        return new(await ProgramAsync(), "consume", order);
    }

    static void AssertInOrder(PeerRecord[] read)
        => Assert.All(read.GroupBy(r => r.Partition), p =>
        {
            Assert.Equal(Enumerable.Range(0, p.Count()).Select(i => (long)i), p.Select(r => r.Offset));
            Assert.Equal(p.Select(r => r.Timestamp).Order(), p.Select(r => r.Timestamp));
        });

    static SortedDictionary<int, long> Ends(PeerRecord[] read) => new(read.GroupBy(r => r.Partition).ToDictionary(p => p.Key, p => p.Max(r => r.Offset) + 1));

    static async Task<SortedDictionary<int, long>> CommittedAsync(GatewayUnderTest gateway, string group, string topic)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = gateway.Broker }).Build();
        var told = await admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(group, null)]);
        return new(told.Single().Partitions.Where(p => p.Topic == topic).ToDictionary(p => p.Partition.Value, p => p.Offset.Value));
    }

    /// <summary>Codec and number of records of each batch in the files of a topic: by which the client really packed.</summary>
    static IEnumerable<(int Codec, int Records)> Batches(GatewayUnderTest gateway, string topic)
    {
        foreach (var segment in Directory.EnumerateFiles(gateway.Data, "*.log", SearchOption.AllDirectories).Where(f => Path.GetFileName(Path.GetDirectoryName(f)!).StartsWith(topic + "-", StringComparison.Ordinal)))
        {
            var bytes = File.ReadAllBytes(segment);
            for (var at = 0; at < bytes.Length; at += 12 + Int32(bytes, at + 8)) yield return (bytes[at + 22] & 7, Int32(bytes, at + 57)); // length at 8, attributes at 21, count at 57
        }
    }

    static int Int32(byte[] bytes, int at) => BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at));
}
