using System.Globalization;
using System.Text;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Log.Records;

namespace IotGateway.Broker.Tests.Server;

/// <summary>
/// Several producers of one transactional id that do not know of each other; ends of transactions that come late, twice, and from those who were replaced; a
/// broker that starts anew in between. Whatever happens, a reader of committed records sees what a producer was told is committed, once, in order, and nothing else.
/// </summary>
public sealed class TransactionHazardTests(ITestOutputHelper output)
{
    const string Id = "tx";
    const int Steps = 500;

    readonly List<string> _committed = [];
    readonly List<Instance> _instances = [new(), new(), new()];
    readonly List<(long Id, short Epoch, bool Commit)> _sent = [];
    Instance? _current;
    int _values, _refused, _repeated;

    [Fact]
    public async Task Late_repeated_and_replaced_producers_change_nothing_that_is_committed()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var directory = Directory.CreateTempSubdirectory("broker").FullName;
        var broker = await TestBroker.StartAsync(directory: directory, keep: true);
        await broker.CreateAsync("t");
        var client = await broker.ConnectAsync();
        for (var step = 0; step < Steps; step++)
        {
            var instance = _instances[random.Next(_instances.Count)];
            if (_current is not null && random.Next(2) == 0) instance = _current;
            switch (random.Next(10))
            {
                case 0:
                    await BeginAsync(client, instance);
                    break;
                case < 6:
                    await ProduceAsync(client, instance);
                    break;
                case < 8:
                    await EndAsync(client, instance, random.Next(4) > 0);
                    break;
                case 8 when _sent.Count > 0:
                    // As a network does that kept it for a while.
                    var (id, epoch, commit) = _sent[random.Next(2) == 0 ? _sent.Count - 1 : random.Next(_sent.Count)];
                    await AskAsync(client, id, epoch, commit);
                    _repeated++;
                    break;
                case 9 when random.Next(8) == 0:
                    await client.DisposeAsync();
                    await broker.DisposeAsync();
                    broker = await TestBroker.StartAsync(directory: directory, keep: true);
                    client = await broker.ConnectAsync();
                    break;
            }
            if (step % 20 == 0) Assert.Equal(_committed, await ReadAsync(broker));
        }
        await BeginAsync(client, _instances[0]); // aborts what is open
        Assert.Equal(_committed, await ReadAsync(broker));
        output.WriteLine($"{_committed.Count} of {_values} records committed, {_refused} requests of replaced producers refused, {_repeated} ends repeated");
        Assert.True(_committed.Count > 10 && _refused > 10 && _repeated > 10);
        await client.DisposeAsync();
        await broker.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    async Task BeginAsync(RawClient client, Instance instance)
    {
        var answer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = Id, TransactionTimeoutMs = 600_000, ProducerId = -1, ProducerEpoch = -1 }, 5);
        Assert.Equal((short)KafkaError.None, answer.ErrorCode);
        (instance.Id, instance.Epoch, instance.Sequence) = (answer.ProducerId, answer.ProducerEpoch, 0);
        instance.Open.Clear();
        _current = instance;
    }

    async Task ProduceAsync(RawClient client, Instance instance)
    {
        if (instance.Id < 0) return;
        var value = string.Create(CultureInfo.InvariantCulture, $"value {_values++}");
        var batch = Batches.Of(instance.Id, instance.Epoch, instance.Sequence, value);
        Batches.MakeTransactional(batch);
        var request = Requests.Produce("t", batch);
        request.TransactionalId = Id;
        var error = (KafkaError)(await client.CallAsync<ProduceRequest, ProduceResponse>(request, 12)).Responses[0].PartitionResponses[0].ErrorCode;
        if (instance != _current) Refused(error);
        else
        {
            Assert.Equal(KafkaError.None, error);
            instance.Sequence++;
            instance.Open.Add(value);
        }
    }

    async Task EndAsync(RawClient client, Instance instance, bool commit)
    {
        if (instance.Id < 0) return;
        var answer = await AskAsync(client, instance.Id, instance.Epoch, commit);
        var error = (KafkaError)answer.ErrorCode;
        if (instance != _current) Refused(error);
        else if (instance.Open.Count > 0 || error == KafkaError.None)
        {
            Assert.Equal(KafkaError.None, error);
            if (instance.Open.Count > 0) _sent.Add((instance.Id, instance.Epoch, commit));
            if (commit) _committed.AddRange(instance.Open);
            instance.Open.Clear();
            if ((instance.Id, instance.Epoch) != (answer.ProducerId, answer.ProducerEpoch)) instance.Sequence = 0;
            (instance.Id, instance.Epoch) = (answer.ProducerId, answer.ProducerEpoch);
        }
    }

    void Refused(KafkaError error)
    {
        Assert.Contains(error, (KafkaError[])[KafkaError.InvalidProducerEpoch, KafkaError.ProducerFenced, KafkaError.InvalidProducerIdMapping]);
        _refused++;
    }

    static async Task<EndTxnResponse> AskAsync(RawClient client, long id, short epoch, bool commit)
        => await client.CallAsync<EndTxnRequest, EndTxnResponse>(new() { TransactionalId = Id, ProducerId = id, ProducerEpoch = epoch, Committed = commit }, 5);

    static async Task<List<string>> ReadAsync(TestBroker broker)
    {
        var partition = broker.Store.Find("t")!.Partitions[0];
        var all = new List<string>();
        for (var offset = 0L; offset < partition.LastStableOffset;)
        {
            var batches = partition.Committed(await partition.ReadAsync(offset, 1 << 20, TestContext.Current.CancellationToken));
            while (batches.MoveNext())
            {
                foreach (var record in new RecordReader(batches.Current)) all.Add(Encoding.UTF8.GetString(record.Value!.Value.Span));
                offset = batches.NextOffset;
            }
        }
        return all;
    }

    sealed class Instance
    {
        public long Id { get; set; } = -1;
        public short Epoch { get; set; }
        public int Sequence { get; set; }
        public List<string> Open { get; } = [];
    }
}
