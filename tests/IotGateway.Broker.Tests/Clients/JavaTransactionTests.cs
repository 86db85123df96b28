using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using IotGateway.Broker.Tests.AgainstKafka;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>Transactions of Apache Kafka's own clients, which add partitions by writing and end by EndTxn version 5 (KIP-890).</summary>
public sealed class JavaTransactionTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task The_copier_copies_exactly_once_though_it_aborts_at_random_and_the_broker_is_killed()
    {
        KafkaTools.SkipWithout();
        const int count = 6000;
        using var broker = new ChildBroker();
        await broker.StartAsync();
        var expected = Enumerable.Range(0, count).Select(i => $"value {i}").ToList();
        Fill(broker.Bootstrap, expected);
        using var copier = new JavaProgram("transactional-copier", "--broker-list", broker.Bootstrap, "--input-topic", "in", "--input-partition", "0", "--output-topic", "out",
            "--transactional-id", "copier", "--transaction-size", "60", "--consumer-group", "g", "--enable-random-aborts", "--use-group-metadata");
        for (var kill = 0; kill < 2; kill++)
        {
            await copier.WaitForAsync(line => Copied(line) > (kill + 1) * 1000);
            await broker.KillAsync();
            await broker.StartAsync();
        }
        await copier.EndAsync();
        Assert.Equal(expected, TransactionClientTests.ReadAll(broker.Bootstrap, IsolationLevel.ReadCommitted, "out"));
        Assert.True(TransactionClientTests.ReadAll(broker.Bootstrap, IsolationLevel.ReadUncommitted, "out").Count > count, "Nothing was aborted: the test shows too little.");
    }

    [Fact]
    public async Task The_copier_goes_on_when_its_epochs_are_used_up()
    {
        KafkaTools.SkipWithout();
        var aged = new AgedProducer("copier", 5_000_000, short.MaxValue - 7);
        await using var broker = await TestBroker.StartAsync(directory: await AgedProducers.MakeLogAsync([aged]));
        await broker.CreateAsync("in");
        await broker.CreateAsync("out");
        var expected = Enumerable.Range(0, 600).Select(i => $"value {i}").ToList();
        Fill(broker.Bootstrap, expected);
        using (var copier = new JavaProgram("transactional-copier", "--broker-list", broker.Bootstrap, "--input-topic", "in", "--input-partition", "0", "--output-topic", "out",
            "--transactional-id", aged.Id, "--transaction-size", "30", "--consumer-group", "g", "--use-group-metadata"))
            await copier.EndAsync();
        Assert.Equal(expected, TransactionClientTests.ReadAll(broker.Bootstrap, IsolationLevel.ReadCommitted, "out"));
        var (id, epoch) = AgedProducers.Find(broker, aged.Id);
        Assert.NotEqual(aged.ProducerId, id);
        Assert.InRange(epoch, 10, 20); // of the new id, one for each transaction since
    }

    [Fact]
    public async Task Streams_counts_words_exactly_once_though_it_is_started_again_and_the_broker_is_killed()
    {
        KafkaTools.SkipWithout();
        using var broker = new ChildBroker();
        await broker.StartAsync();
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).Build())
            await admin.CreateTopicsAsync([new() { Name = "streams-plaintext-input" }, new() { Name = "streams-wordcount-output" }]);
        var folder = Directory.CreateTempSubdirectory("streams-").FullName;
        var config = Path.Combine(folder, "streams.properties");
        await File.WriteAllTextAsync(config, $"bootstrap.servers={broker.Bootstrap}\ncommit.interval.ms=100\nprocessing.guarantee=exactly_once_v2\nstate.dir={folder}\n"
            + "consumer.session.timeout.ms=6000\nconsumer.heartbeat.interval.ms=1000\n", TestContext.Current.CancellationToken);
        await SendAsync("b a", 500, pause: 0);
        using (var streams = new JavaProgram("streams-wordcount", config)) await CountedAsync(["a:500", "b:500"]);
        await SendAsync("a c", 1, pause: 0);
        using (var streams = new JavaProgram("streams-wordcount", config))
        {
            await CountedAsync(["a:501", "b:500", "c:1"]);
            var sent = SendAsync("a c", 499, pause: 3);
            await CountedAsync([], counts => counts.GetValueOrDefault("a") > 600);
            await broker.KillAsync();
            await broker.StartAsync();
            await sent;
            await CountedAsync(["a:1000", "b:500", "c:500"]);
        }
        Directory.Delete(folder, recursive: true);

        async Task SendAsync(string line, int times, int pause)
        {
            using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = broker.Bootstrap, EnableIdempotence = true }).Build();
            var sent = new List<Task>();
            for (var i = 0; i < times; i++)
            {
                sent.Add(producer.ProduceAsync("streams-plaintext-input", new() { Value = line }));
                if (pause > 0) await Task.Delay(pause, TestContext.Current.CancellationToken);
            }
            await Task.WhenAll(sent);
        }

        async Task CountedAsync(string[] expected, Func<SortedDictionary<string, long>, bool>? enough = null)
        {
            using var consumer = new ConsumerBuilder<string, long>(new ConsumerConfig { BootstrapServers = broker.Bootstrap, GroupId = "check", IsolationLevel = IsolationLevel.ReadCommitted }).Build();
            consumer.Assign(new TopicPartitionOffset("streams-wordcount-output", 0, Offset.Beginning));
            var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
            var started = Stopwatch.GetTimestamp();
            while (counts.Count == 0 || !(enough?.Invoke(counts) ?? counts.Select(c => $"{c.Key}:{c.Value}").SequenceEqual(expected)))
            {
                if (Stopwatch.GetElapsedTime(started) > Patience) Assert.Fail($"Counted {string.Join(' ', counts)}.");
                if (consumer.Consume(200) is { } record)
                {
                    Assert.True(counts.GetValueOrDefault(record.Message.Key) < record.Message.Value, $"{record.Message.Key} counted {record.Message.Value} twice.");
                    counts[record.Message.Key] = record.Message.Value;
                }
            }
        }
    }

    [Fact]
    public async Task The_transactions_tool_lists_describes_and_aborts()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t", 2);
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = broker.Bootstrap, TransactionalId = "tx" }).Build();
        producer.InitTransactions(Patience);
        producer.BeginTransaction();
        await producer.ProduceAsync(new TopicPartition("t", 1), new() { Value = "open" }, TestContext.Current.CancellationToken);
        Assert.Matches(@"tx\s+1\s+\d+\s+Ongoing", await RunAsync(broker, "list"));
        Assert.Matches(@"1\s+tx\s+\d+\s+0\s+Ongoing\s+60000\s+\S+\s+\d+\s+t-1", await RunAsync(broker, "describe", "--transactional-id", "tx"));
        Assert.Matches(@"\d+\s+0\s+\S+\s+0\s+\S+\s+0", await RunAsync(broker, "describe-producers", "--topic", "t", "--partition", "1"));
        await RunAsync(broker, "abort", "--topic", "t", "--partition", "1", "--start-offset", "0");
        Assert.Empty(TransactionClientTests.ReadAll(broker, IsolationLevel.ReadCommitted));
        await RunAsync(broker, "forceTerminateTransaction", "--transactionalId", "tx");
        Assert.Matches(@"tx\s+1\s+\d+\s+(Empty|CompleteAbort)", await RunAsync(broker, "list"));
        Assert.InRange(broker.Store.Find("t")!.Partitions[1].LastStableOffset, 2, 3);
    }

    /// <summary>Writes what the copier is to copy.</summary>
    static void Fill(string bootstrap, List<string> values)
    {
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = bootstrap, EnableIdempotence = true }).Build();
        foreach (var value in values) producer.Produce(new TopicPartition("in", 0), new() { Value = value });
        producer.Flush(Patience);
    }

    static long Copied(string line)
    {
        const string field = "\"totalProcessed\":";
        var at = line.IndexOf(field, StringComparison.Ordinal);
        return at < 0 ? 0 : long.Parse(new string([.. line[(at + field.Length)..].TakeWhile(char.IsAsciiDigit)]), System.Globalization.CultureInfo.InvariantCulture);
    }

    static async Task<string> RunAsync(TestBroker broker, params string[] arguments)
    {
        var (code, output) = await KafkaTools.RunAsync("transactions", ["--bootstrap-server", broker.Bootstrap, .. arguments]);
        Assert.True(code == 0, output);
        return output;
    }
}
