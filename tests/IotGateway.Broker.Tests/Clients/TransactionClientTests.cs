using Confluent.Kafka;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>Transactions of librdkafka, which adds partitions by AddPartitionsToTxn and ends by EndTxn version 1.</summary>
public sealed class TransactionClientTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_reader_of_committed_records_sees_exactly_what_was_committed()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t", 3);
        var expected = new List<string>();
        using (var producer = Producer(broker.Bootstrap, "tx"))
        {
            producer.InitTransactions(Patience);
            for (var i = 0; i < 20; i++)
            {
                producer.BeginTransaction();
                for (var n = 0; n < 30; n++) producer.Produce(new TopicPartition("t", n % 3), new() { Key = $"{i}", Value = $"{i}:{n}" });
                if (i % 3 == 1)
                {
                    producer.Flush(Patience);
                    producer.AbortTransaction(Patience);
                    continue;
                }
                producer.CommitTransaction(Patience);
                expected.AddRange(Enumerable.Range(0, 30).Select(n => $"{i}:{n}"));
            }
        }
        Assert.Equal(expected.Order(), ReadAll(broker, IsolationLevel.ReadCommitted).Order());
        Assert.Equal(600, ReadAll(broker, IsolationLevel.ReadUncommitted).Count);
    }

    [Fact]
    public async Task An_open_transaction_holds_committed_readers_back_and_others_not()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        using var producer = Producer(broker.Bootstrap, "tx");
        producer.InitTransactions(Patience);
        producer.BeginTransaction();
        producer.Produce("t", new() { Value = "open" });
        producer.Flush(Patience);
        await using (var client = await broker.ConnectAsync()) await client.ProduceAsync("t", Batches.Of("plain"));
        Assert.Equal(["open", "plain"], ReadAll(broker, IsolationLevel.ReadUncommitted));
        Assert.Empty(ReadAll(broker, IsolationLevel.ReadCommitted));
        producer.CommitTransaction(Patience);
        Assert.Equal(["open", "plain"], ReadAll(broker, IsolationLevel.ReadCommitted));
    }

    [Fact]
    public async Task Offsets_are_the_groups_when_the_transaction_commits_and_not_when_it_aborts()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await broker.CreateAsync("out");
        await using (var client = await broker.ConnectAsync()) await client.ProduceAsync("t", Batches.Of("a", "b", "c"));
        using var consumer = Consumer(broker.Bootstrap, IsolationLevel.ReadCommitted);
        consumer.Subscribe("t");
        Assert.Equal("a", consumer.Consume(Patience).Message.Value);
        using var producer = Producer(broker.Bootstrap, "tx");
        producer.InitTransactions(Patience);
        for (var round = 0; round < 2; round++)
        {
            producer.BeginTransaction();
            producer.Produce("out", new() { Value = "x" });
            producer.SendOffsetsToTransaction([new("t", 0, round + 1)], consumer.ConsumerGroupMetadata, Patience);
            if (round == 0) producer.AbortTransaction(Patience);
            else producer.CommitTransaction(Patience);
            var committed = consumer.Committed([new("t", 0)], Patience)[0].Offset;
            Assert.Equal(round == 0 ? Offset.Unset : 2, committed);
        }
    }

    [Fact]
    public async Task A_second_producer_of_the_same_id_fences_the_first_and_aborts_its_transaction()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        using var first = Producer(broker.Bootstrap, "tx");
        first.InitTransactions(Patience);
        first.BeginTransaction();
        await first.ProduceAsync("t", new() { Value = "of the first" }, TestContext.Current.CancellationToken);
        using var second = Producer(broker.Bootstrap, "tx");
        second.InitTransactions(Patience);
        second.BeginTransaction();
        await second.ProduceAsync("t", new() { Value = "of the second" }, TestContext.Current.CancellationToken);
        var refused = Assert.ThrowsAny<KafkaException>(() => first.CommitTransaction(Patience));
        Assert.True(refused.Error.IsFatal, refused.Error.ToString());
        Assert.Contains(refused.Error.Code, (ErrorCode[])[ErrorCode.ProducerFenced, ErrorCode.InvalidProducerEpoch, ErrorCode.Local_Fatal, ErrorCode.Local_Fenced]);
        second.CommitTransaction(Patience);
        Assert.Equal(["of the second"], ReadAll(broker, IsolationLevel.ReadCommitted));
    }

    [Fact]
    public async Task A_transaction_left_open_is_aborted_after_its_timeout_also_across_a_restart()
    {
        var directory = Directory.CreateTempSubdirectory("broker").FullName;
        await using (var broker = await TestBroker.StartAsync(directory: directory, keep: true))
        {
            await broker.CreateAsync("t");
            using var producer = Producer(broker.Bootstrap, "tx", timeout: 3000);
            producer.InitTransactions(Patience);
            producer.BeginTransaction();
            await producer.ProduceAsync("t", new() { Value = "never ended" }, TestContext.Current.CancellationToken);
        }
        await using (var broker = await TestBroker.StartAsync(directory: directory))
        {
            await using (var client = await broker.ConnectAsync()) await client.ProduceAsync("t", Batches.Of("plain"));
            using var consumer = Consumer(broker.Bootstrap, IsolationLevel.ReadCommitted);
            consumer.Assign(new TopicPartitionOffset("t", 0, Offset.Beginning));
            var record = consumer.Consume(Patience);
            while (record is { IsPartitionEOF: true }) record = consumer.Consume(Patience);
            Assert.Equal("plain", record?.Message.Value);
        }
    }

    internal static List<string> ReadAll(TestBroker broker, IsolationLevel isolation, string topic = "t") => ReadAll(broker.Bootstrap, isolation, topic);

    /// <summary>Every record up to the end, as the broker tells it to a reader of that kind.</summary>
    internal static List<string> ReadAll(string bootstrap, IsolationLevel isolation, string topic)
    {
        using var consumer = Consumer(bootstrap, isolation);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
        var partitions = admin.GetMetadata(topic, Patience).Topics[0].Partitions.Select(p => new TopicPartitionOffset(topic, p.PartitionId, Offset.Beginning)).ToList();
        consumer.Assign(partitions);
        var (values, ended) = (new List<string>(), 0);
        while (ended < partitions.Count)
        {
            var record = consumer.Consume(Patience) ?? throw new TimeoutException($"{values.Count} records, {ended} of {partitions.Count} partitions came to their end.");
            if (record.IsPartitionEOF) ended++;
            else values.Add(record.Message.Value);
        }
        return values;
    }

    static IProducer<string, string> Producer(string bootstrap, string id, int timeout = 60_000)
        => new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = bootstrap, TransactionalId = id, TransactionTimeoutMs = timeout, LingerMs = 5 }).Build();

    static IConsumer<string, string> Consumer(string bootstrap, IsolationLevel isolation) => new ConsumerBuilder<string, string>(new ConsumerConfig
    {
        BootstrapServers = bootstrap, GroupId = "g", IsolationLevel = isolation, EnableAutoCommit = false, AutoOffsetReset = AutoOffsetReset.Earliest, EnablePartitionEof = true,
    }).Build();
}
