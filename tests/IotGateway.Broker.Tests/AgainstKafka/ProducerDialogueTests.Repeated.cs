using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>One Produce request that names a partition, or a topic, more than once.</summary>
public sealed partial class ProducerDialogueTests
{
    static readonly byte[] Corrupt = Changed(Batches.Of("corrupt"), 25), Empty = [], Wide = Changed(Batches.Of("of no format"), 16, 2 ^ 7), Old = Changed(Batches.Of("of the older format"), 16, 2 ^ 1);

    [Fact]
    public async Task Partitions_named_twice_in_one_request_are_written_once_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        foreach (var v in new short[] { 3, 9, 12, 13 })
        {
            var (a, b) = ($"a{v}", $"b{v}");
            await talk.PrepareAsync((a, 3), (b, 1));
            await talk.InitAsync("p", null);
            byte[] Of(Dialogue.Side side, int sequence, params string[] values) => Batches.Of(side.Get<(long, short)>("p").Item1, 0, sequence, values);
            Task Send(Func<Dialogue.Side, (string Topic, (int Partition, byte[]? Records)[] Data)[]> topics, [System.Runtime.CompilerServices.CallerLineNumber] int line = 0)
                => d.AskAsync<ProduceRequest, ProduceResponse>(side => new()
                {
                    Acks = -1, TimeoutMs = 5000,
                    TopicData = [.. topics(side).Select(t => new ProduceRequest.TopicProduceData
                    {
                        Name = v >= 13 ? "" : t.Topic, TopicId = v >= 13 ? t.Topic == "nowhere" ? new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) : side.Get<Guid>(t.Topic) : default,
                        PartitionData = [.. t.Data.Select(p => new ProduceRequest.PartitionProduceData { Index = p.Partition, Records = p.Records })],
                    })],
                }, v, byName: true, line: line);

            await Send(_ => [(a, [(0, Batches.Of("first")), (0, Batches.Of("second", "third"))])]);
            await Send(_ => [(a, [(0, Batches.Of("1")), (1, Batches.Of("2")), (0, Batches.Of("3", "4")), (1, Batches.Of("5")), (0, Batches.Of("6"))])]);
            await Send(_ => [(a, [(0, Batches.Of("7"))]), (a, [(0, Batches.Of("8"))])]);
            await Send(_ => [(a, [(0, Batches.Of("9"))]), (b, [(0, Batches.Of("10"))]), (a, [(1, Batches.Of("11"))]), (b, [(0, Batches.Of("12", "13"))])]);
            foreach (var refused in new[] { Corrupt, Old, Empty, null })
            {
                await Send(_ => [(a, [(0, refused), (0, Batches.Of("after"))])]);
                await Send(_ => [(a, [(0, Batches.Of("before")), (0, refused)])]);
                await Send(_ => [(a, [(0, Batches.Of("before"))]), (a, [(0, refused), (1, Batches.Of("beside"))])]);
                await Send(_ => [(a, [(0, refused), (0, Corrupt)])]);
            }
            await Send(_ => [(a, [(7, Batches.Of("none")), (0, Batches.Of("14")), (7, Batches.Of("none")), (0, Batches.Of("15"))])]);
            await Send(_ => [("nowhere", [(0, Batches.Of("none")), (0, Batches.Of("none"))]), ("nowhere", [(0, Batches.Of("none")), (1, Corrupt)])]);
            await Send(side => [(a, [(2, Of(side, 0, "a")), (2, Of(side, 1, "b", "c"))])]);
            await Send(side => [(a, [(2, Of(side, 1, "b")), (2, Of(side, 0, "a"))])]);
            await Send(side => [(a, [(2, Of(side, 1, "b")), (2, Of(side, 1, "b"))])]);
            await Send(side => [(a, [(2, Of(side, 2, "c")), (2, Of(side, 2, "c", "d"))])]);
            await Send(_ => [(a, [])]);
            await Send(_ => [(a, [(0, Batches.Of("once"))]), (b, [])]);
            await Send(_ => []);
            for (var i = 0; i < 3; i++) await talk.ReadAsync(a, i);
            await talk.ReadAsync(b);
            d.Deviates(ApiKey.Produce, @"\.PartitionResponses\[1\]", "beside records of no format Kafka takes nothing of the request");
            await Send(_ => [(a, [(0, Wide), (1, Batches.Of("beside"))])]);
            d.Agrees(ApiKey.Produce);
        }
        d.Judge();
    }

    static byte[] Changed(byte[] batch, int at, byte by = 1)
    {
        batch[at] ^= by;
        return batch;
    }
}
