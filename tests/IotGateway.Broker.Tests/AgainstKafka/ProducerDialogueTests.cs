using System.Buffers.Binary;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Idempotent producers: what Apache Kafka takes, refuses and knows of them is what we do.</summary>
public sealed partial class ProducerDialogueTests(KafkaNode kafka) : IClassFixture<KafkaNode>
{
    [Fact]
    public async Task Ids_are_given_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("i", 1));
        for (short v = 0; v <= 5; v++)
        {
            await talk.InitAsync("p", null, v);
            await talk.InitAsync("q", null, v, timeout: 0);
            await talk.InitAsync("q", null, v, timeout: -1);
            await talk.InitAsync("q", null, v, timeout: int.MaxValue);
        }
        for (short v = 3; v <= 5; v++)
        {
            await talk.InitAsync("q", null, v, claim: "p");                      // one that is known
            await talk.InitAsync("q", null, v, claim: new("p", Epoch: 5));
            await talk.InitAsync("q", null, v, claim: new("p", Id: 100_000));    // one that is not
            await d.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(_ => new() { TransactionalId = null, ProducerId = -1, ProducerEpoch = 3 }, v);
            await d.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(_ => new() { TransactionalId = null, ProducerId = 7, ProducerEpoch = -1 }, v);
            await d.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(_ => new() { TransactionalId = null, ProducerId = -2, ProducerEpoch = -2 }, v);
            await d.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(_ => new() { TransactionalId = null, ProducerId = 7, ProducerEpoch = short.MaxValue }, v);
        }
        d.Judge();
    }

    [Fact]
    public async Task Sequences_are_taken_and_refused_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("s", 3), ("s2", 1));
        var sequence = 0;
        await talk.InitAsync("older", null);
        var all = new Who("older", Epoch: 1);
        for (short v = 3; v <= 13; v++)
        {
            await talk.ProduceAsync("s2", all, sequence, v, records: 3);         // in order
            await talk.ProduceAsync("s2", all, sequence, v, records: 3);         // the last again
            await talk.ProduceAsync("s2", all, sequence, v, records: 2);         // with fewer records
            await talk.ProduceAsync("s2", all, sequence + 1, v, records: 2);     // a part of it
            await talk.ProduceAsync("s2", all, sequence + 4, v);                 // a gap
            await talk.ProduceAsync("s2", "older", sequence, v);
            sequence += 3;
        }
        await talk.InitAsync("p", null);
        for (var i = 0; i < 7; i++) await talk.ProduceAsync("s", "p", i * 2, records: 2);
        for (var i = 6; i >= 0; i--) await talk.ProduceAsync("s", "p", i * 2, records: 2);      // five are known
        await talk.ProduceAsync("s", "p", 0, records: 14);
        await talk.ProduceAsync("s", "p", 12, records: 4);                       // begins as the last
        await talk.ProduceAsync("s", "p", 13);                                   // ends as the last
        await talk.ProduceAsync("s", "p", 15);
        await talk.ProduceAsync("s", "p", -1);
        await talk.ProduceAsync("s", "p", -5);
        await talk.ProduceAsync("s", "p", int.MaxValue);
        await talk.ProduceAsync("s", "p", 14);
        await talk.ProduceAsync("s", "p", 0, partition: 1);                      // the same to another partition
        await talk.ProduceAsync("s", "p", 5, partition: 2);                      // unknown there, and not from 0
        await talk.ProduceAsync("s", "p", 7, partition: 2);
        await talk.ProduceAsync("s", "p", 6, partition: 2);
        foreach (var name in new[] { "q0", "q1", "q2", "q3" }) await talk.InitAsync(name, null);
        await talk.ProduceAsync("s", "q0", 0);
        await talk.ProduceAsync("s", "q1", 3);
        await talk.ProduceAsync("s", new("q2", Epoch: 7), 0);
        await talk.ProduceAsync("s", new("q3", Epoch: 7), 9);
        await talk.ProducersAsync([("s", 0), ("s", 1), ("s", 2), ("s", 3), ("s", -1), ("s2", 0), ("nowhere", 0)]);
        await talk.ProducersAsync([]);
        await d.AskAsync<DescribeProducersRequest, DescribeProducersResponse>(_ => new() { Topics = [new() { Name = "s", PartitionIndexes = [] }] }, 0);
        await talk.ReadAsync("s");
        await talk.ProduceAsync("s", new("p", Id: 500_000), 0);                  // an id nobody gave
        d.Deviates(ApiKey.DescribeProducers, @"\.Partitions\[1\]", "what is named again in one request is told once");
        await d.AskAsync<DescribeProducersRequest, DescribeProducersResponse>(_ => new() { Topics = [new() { Name = "s", PartitionIndexes = [1, 1] }] }, 0);
        d.Judge();
    }

    [Fact]
    public async Task Epochs_are_taken_and_refused_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("e", 2));
        await talk.InitAsync("p", null);
        await talk.ProduceAsync("e", "p", 0, records: 2);
        await talk.ProduceAsync("e", new("p", Epoch: 3), 2);                     // newer, not from 0
        await talk.ProduceAsync("e", new("p", Epoch: 3), 0, records: 2);         // newer
        await talk.ProduceAsync("e", new("p", Epoch: 3), 0, records: 2);
        await talk.ProduceAsync("e", new("p", Epoch: 3), 2);
        for (short v = 3; v <= 13; v++)
        {
            await talk.ProduceAsync("e", "p", 2, v);                             // older
            await talk.ProduceAsync("e", "p", 0, v);
            await talk.ProduceAsync("e", "p", 0, v, records: 2);                 // older, once taken
            await talk.ProduceAsync("e", new("p", Epoch: 2), 0, v);
        }
        await talk.ProduceAsync("e", new("p", Epoch: short.MaxValue), 0);
        await talk.ProduceAsync("e", new("p", Epoch: short.MaxValue), 1);
        await talk.ProducersAsync([("e", 0), ("e", 1)]);
        await talk.ReadAsync("e");
        d.Deviates(ApiKey.Produce, @"\.(ErrorCode|BaseOffset|LogStartOffset) = ", "an id without an epoch is INVALID_RECORD; Kafka takes it where it does not know the id, as that of a producer that nothing can fence");
        await talk.ProduceAsync("e", new("p", Epoch: -1), 0, partition: 1);
        await talk.ProduceAsync("e", new("p", Epoch: -2), 0, partition: 1);
        d.Judge();
    }

    [Fact]
    public async Task Sequences_begin_again_behind_the_last_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("w", 3));
        await talk.InitAsync("p", null);
        await talk.ProduceAsync("w", "p", int.MaxValue - 1, records: 2);         // of one that is not known there
        await talk.ProduceAsync("w", "p", 1);
        await talk.ProduceAsync("w", "p", 0, records: 2);
        await talk.ProduceAsync("w", "p", 2);
        await talk.ProduceAsync("w", "p", int.MaxValue - 1, records: 2);         // known still
        await talk.ProduceAsync("w", "p", int.MaxValue - 1, partition: 1, records: 5);   // over the end
        await talk.ProduceAsync("w", "p", int.MaxValue - 1, partition: 1, records: 5);
        await talk.ProduceAsync("w", "p", 4, partition: 1);
        await talk.ProduceAsync("w", "p", 3, partition: 1);
        await talk.ProduceAsync("w", "p", int.MaxValue, partition: 2);
        await talk.ProduceAsync("w", "p", int.MaxValue, partition: 2);
        await talk.ProduceAsync("w", "p", 1, partition: 2);
        await talk.ProduceAsync("w", "p", 0, partition: 2);
        await talk.ProducersAsync([("w", 0), ("w", 1), ("w", 2)]);
        for (var i = 0; i < 3; i++) await talk.ReadAsync("w", i);
        d.Judge();
    }

    [Fact]
    public async Task What_producers_put_together_is_taken_and_refused_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("m", 3));
        await talk.InitAsync("p", null);
        await talk.InitAsync("q", null);
        byte[] Batch(Dialogue.Side side, Who who, int sequence) => Batches.Of(who.On(side).Id, who.On(side).Epoch, sequence, "a");
        await talk.SendAsync("m", side => [.. Batch(side, "p", 0), .. Batch(side, "p", 1)]);
        await talk.SendAsync("m", side => [.. Batch(side, "p", 0), .. Batch(side, "q", 0)]);
        await talk.SendAsync("m", side => [.. Batch(side, "p", 0), .. Batches.Of("nobody's")]);
        Task Both(int first, int second, short v) => d.AskAsync<ProduceRequest, ProduceResponse>(side => new()
        {
            Acks = -1, TimeoutMs = 5000,
            TopicData = [new() { Name = "m", PartitionData = [new() { Index = 0, Records = Batch(side, "p", first) }, new() { Index = 1, Records = Batch(side, "p", second) }, new() { Index = 7, Records = Batch(side, "p", 0) }] }],
        }, v, byName: true);
        await Both(0, 0, 9);
        await Both(1, 0, 9);
        await Both(1, 2, 9);
        await Both(2, 1, 12);
        byte[] Changed(Dialogue.Side side, int at, int value)
        {
            var batch = Batch(side, "q", 0);
            BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(at), value);
            return Batches.Sealed(batch);
        }
        await talk.SendAsync("m", side => Changed(side, 53, -1));                // an id without a sequence
        await talk.SendAsync("m", _ => Batches.Of(-1, 0, 0, "a"));               // an epoch without an id
        await talk.SendAsync("m", _ => Batches.Of(-1, -1, 0, "a"));
        await talk.SendAsync("m", _ => Batches.Of(-5, 0, 0, "a"));
        for (short v = 3; v <= 13; v++)
        {
            await talk.ProduceAsync("m", "q", 0, v, plain: false);               // of a transaction, without an id of one
            await talk.ProduceAsync("m", "q", 0, v, id: "", plain: false);
        }
        await talk.ProduceAsync("m", "q", 0);
        await talk.ProduceAsync("m", "q", 1, v: 9, plain: false);
        await talk.ProducersAsync([("m", 0), ("m", 1), ("m", 2)]);
        for (var i = 0; i < 3; i++) await talk.ReadAsync("m", i);
        d.Judge();
    }
}
