using System.Buffers.Binary;
using System.Text;
using Confluent.Kafka;
using IotGateway.Broker.Tests.Server;
using IotGateway.Broker.Transactions;
using IotGateway.Log;
using IotGateway.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>A transactional id whose producer has had so many epochs that few are left; made without the 32,000 requests that would take.</summary>
sealed record AgedProducer(string Id, long ProducerId, short Epoch)
{
    public const int TimeoutMs = 60_000;
}

/// <summary>Has both sides of a dialogue know aged producers.</summary>
static class AgedProducers
{
    const string StateTopic = "__transaction_state", Admin = "__admin_client"; // the client id whose records internal topics take

    /// <summary>A log that has them, to start a broker on.</summary>
    public static async Task<string> MakeLogAsync(IEnumerable<AgedProducer> producers)
    {
        var directory = Directory.CreateTempSubdirectory("aged").FullName;
        await using var log = await LogStore.OpenAsync(new() { Directory = directory, WalBytes = 16 << 20 }, NullLogger.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
        var unit = new LogUnit { Reserved = true };
        foreach (var (id, producerId, epoch) in producers)
        {
            var transaction = new Transaction(id) { ProducerId = producerId, Epoch = epoch, TimeoutMs = AgedProducer.TimeoutMs, State = TransactionState.Empty, LastUpdate = log.Clock.Now };
            unit.Put(TransactionRecord.Table, TransactionRecord.Key(id), TransactionRecord.Write(transaction));
        }
        await log.CommitAsync(unit, TestContext.Current.CancellationToken);
        return directory;
    }

    /// <summary>The producer id and epoch our broker has for a transactional id.</summary>
    public static (long ProducerId, short Epoch) Find(TestBroker broker, string id)
    {
        var found = TransactionRecord.Read(TransactionRecord.Key(id), broker.Store.Get(TransactionRecord.Table, TransactionRecord.Key(id))!.Value);
        return (found.ProducerId, found.Epoch);
    }

    /// <summary>Writes what Kafka's coordinator would have written of them, and has it read that at its next start.</summary>
    public static async Task TellAsync(KafkaNode kafka, IEnumerable<AgedProducer> producers)
    {
        // The topic is made when somebody first asks for a transactional id.
        using (var first = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = kafka.Bootstrap, TransactionalId = "first" }).Build()) first.InitTransactions(TimeSpan.FromSeconds(60));
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka.Bootstrap }).Build())
        using (var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = kafka.Bootstrap, ClientId = Admin, Acks = Acks.All }).Build())
        {
            var partitions = admin.GetMetadata(StateTopic, TimeSpan.FromSeconds(20)).Topics[0].Partitions.Count;
            foreach (var aged in producers)
                await producer.ProduceAsync(new TopicPartition(StateTopic, Math.Abs(JavaHash(aged.Id)) % partitions), new() { Key = Key(aged.Id), Value = Value(aged) }, TestContext.Current.CancellationToken);
        }
        await kafka.KillAsync();
        await kafka.ReviveAsync();
    }

    // TransactionLogKey.json, version 0
    static byte[] Key(string id)
    {
        var text = Encoding.UTF8.GetBytes(id);
        var key = new byte[4 + text.Length];
        BinaryPrimitives.WriteInt16BigEndian(key.AsSpan(2), (short)text.Length);
        text.CopyTo(key, 4);
        return key;
    }

    // TransactionLogValue.json, version 0: producer id, its epoch, timeout, state (0: Empty), partitions (none: null), last update, start
    static byte[] Value(AgedProducer aged)
    {
        var value = new byte[2 + 8 + 2 + 4 + 1 + 4 + 8 + 8];
        BinaryPrimitives.WriteInt64BigEndian(value.AsSpan(2), aged.ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(value.AsSpan(10), aged.Epoch);
        BinaryPrimitives.WriteInt32BigEndian(value.AsSpan(12), AgedProducer.TimeoutMs);
        BinaryPrimitives.WriteInt32BigEndian(value.AsSpan(17), -1);
        BinaryPrimitives.WriteInt64BigEndian(value.AsSpan(21), TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(value.AsSpan(29), -1);
        return value;
    }

    // java.lang.String.hashCode: the partition of an id follows from it.
    static int JavaHash(string text) => text.Aggregate(0, static (hash, letter) => unchecked(31 * hash + letter));
}
