using System.Runtime.CompilerServices;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Topics, their records and their offsets: what Apache Kafka answers is what we answer.</summary>
public sealed class TopicDialogueTests(KafkaNode kafka) : IClassFixture<KafkaNode>
{
    static readonly Guid Nowhere = new(7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7);

    [Fact]
    public async Task Topics_are_made_told_and_deleted_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        Published(d);
        for (short v = 2; v <= 7; v++)
        {
            CreateTopicsRequest Create(string name, int partitions, short replicas = 1, bool check = false, params (string, string?)[] configs) => new()
            {
                TimeoutMs = 5000, ValidateOnly = check,
                Topics = [new() { Name = name, NumPartitions = partitions, ReplicationFactor = replicas, Configs = [.. configs.Select(c => new CreateTopicsRequest.CreatableTopicConfig { Name = c.Item1, Value = c.Item2 })] }],
            };
            Task Ask(CreateTopicsRequest request, [CallerLineNumber] int line = 0) => d.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(_ => request, v, line: line);
            await Ask(Create($"made.{v}", 2));
            await Ask(Create($"made.{v}", 2));
            if (v < 7) await Ask(Create($"checked.{v}", 2, check: true)); // from 7 on Kafka tells an id of what it does not make
            await Ask(Create("", 1));
            await Ask(Create(".", 1));
            await Ask(Create("..", 1));
            await Ask(Create("white space", 1));
            if (v < 7) await Ask(Create(new('x', 249), 1, check: true));
            await Ask(Create(new('x', 250), 1));
            await Ask(Create($"none.{v}", 0));
            await Ask(Create($"minus.{v}", -2));
            await Ask(Create($"factor.{v}", 1, 0));
            await Ask(Create($"bad.{v}", 1, 1, false, ("retention.ms", "soon")));
            await Ask(Create($"unknown.{v}", 1, 1, false, ("no.such.setting", "1")));
            await Ask(Create($"null.{v}", 1, 1, false, ("retention.ms", null)));
            await Ask(Create($"low.{v}", 1, 1, false, ("retention.ms", "-2")));
            await Ask(Create($"policy.{v}", 1, 1, false, ("cleanup.policy", "compact,delete")));
            await Ask(Create($"policy2.{v}", 1, 1, false, ("cleanup.policy", "shred")));
            await Ask(Create($"codec.{v}", 1, 1, false, ("compression.type", "rar")));
            await Ask(new() { TimeoutMs = 5000, Topics = [] });
            await Ask(new() { TimeoutMs = 5000, Topics = [new() { Name = $"twice.{v}", NumPartitions = 1, ReplicationFactor = 1 }, new() { Name = $"twice.{v}", NumPartitions = 1, ReplicationFactor = 1 }] });
            await Ask(new() { TimeoutMs = 5000, Topics = [new() { Name = $"by.hand.{v}", NumPartitions = -1, ReplicationFactor = -1, Assignments = [new() { PartitionIndex = 0, BrokerIds = [1] }, new() { PartitionIndex = 1, BrokerIds = [1] }] }] });
            await Ask(new() { TimeoutMs = 5000, Topics = [new() { Name = $"by.hand.gap.{v}", NumPartitions = -1, ReplicationFactor = -1, Assignments = [new() { PartitionIndex = 1, BrokerIds = [1] }] }] });
            await Ask(new() { TimeoutMs = 5000, Topics = [new() { Name = $"by.hand.both.{v}", NumPartitions = 1, ReplicationFactor = 1, Assignments = [new() { PartitionIndex = 0, BrokerIds = [1] }] }] });
            if (v >= 4) await Ask(Create($"default.{v}", 1, -1));
        }
        foreach (var made in Enumerable.Range(2, 6)) await d.SettleAsync($"made.{made}", 2);
        await d.AskAllAsync<MetadataRequest, MetadataResponse>((_, _) => new() { Topics = [new() { Name = "made.3" }, new() { Name = "made.5" }], AllowAutoTopicCreation = false }, from: 1);
        await d.AskAllAsync<MetadataRequest, MetadataResponse>((_, _) => new() { Topics = [new() { Name = "nowhere" }, new() { Name = "white space" }], AllowAutoTopicCreation = false }, from: 4);
        await d.AskAllAsync<MetadataRequest, MetadataResponse>((_, _) => new() { Topics = [], AllowAutoTopicCreation = false }, from: 1);
        await d.AskAllAsync<CreatePartitionsRequest, CreatePartitionsResponse>((_, v) => new() { TimeoutMs = 5000, Topics = [new() { Name = $"made.{v + 2}", Count = 4, Assignments = null }] }, byName: true);
        await d.AskAllAsync<CreatePartitionsRequest, CreatePartitionsResponse>((_, v) => new() { TimeoutMs = 5000, Topics = [new() { Name = $"made.{v + 2}", Count = 4, Assignments = null }, new() { Name = "nowhere", Count = 4, Assignments = null }] }, byName: true);
        await d.AskAllAsync<CreatePartitionsRequest, CreatePartitionsResponse>((_, v) => new() { TimeoutMs = 5000, Topics = [new() { Name = $"made.{v + 2}", Count = 3, Assignments = null }] }, byName: true);
        await d.AskAllAsync<CreatePartitionsRequest, CreatePartitionsResponse>((_, v) => new() { TimeoutMs = 5000, ValidateOnly = true, Topics = [new() { Name = $"made.{v + 2}", Count = 6, Assignments = null }] }, byName: true);
        await d.AskAllAsync<CreatePartitionsRequest, CreatePartitionsResponse>((_, v) => new() { TimeoutMs = 5000, Topics = [new() { Name = $"made.{v + 2}", Count = 6, Assignments = [new() { BrokerIds = [1] }] }] }, byName: true);
        await d.SettleAsync("made.4", 4);
        await d.AskAllAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>((_, _) => new() { Topics = [new() { Name = "made.4" }, new() { Name = "nowhere" }], ResponsePartitionLimit = 3 });
        await d.AskAllAsync<DeleteTopicsRequest, DeleteTopicsResponse>((_, v) => new() { TimeoutMs = 5000, TopicNames = [$"made.{v + 1}", "nowhere"] }, to: 5, byName: true);
        await d.AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(_ => new() { TimeoutMs = 5000, Topics = [new() { Name = "made.7" }, new() { Name = "nowhere" }] }, 6, byName: true);
        await d.AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(_ => new() { TimeoutMs = 5000, Topics = [new() { Name = null, TopicId = Nowhere }] }, 6, byName: true);
        await d.AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(_ => new() { TimeoutMs = 5000, Topics = [new() { Name = "by.hand.4" }, new() { Name = "by.hand.4" }] }, 6, byName: true);
        d.Judge();
    }

    [Fact]
    public async Task Records_are_taken_refused_and_read_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        Published(d);
        await d.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(_ => new()
        {
            TimeoutMs = 5000,
            Topics =
            [
                new() { Name = "r", NumPartitions = 2, ReplicationFactor = 1, Configs = [new() { Name = "message.timestamp.after.max.ms", Value = "3600000" }] },
                new() { Name = "r.compacted", NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "cleanup.policy", Value = "compact" }] },
                new() { Name = "r.small", NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "max.message.bytes", Value = "500" }] },
                new() { Name = "r.appended", NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "message.timestamp.type", Value = "LogAppendTime" }] },
            ],
        }, 5);
        await d.SettleAsync("r", 2);
        foreach (var other in new[] { "r.compacted", "r.small", "r.appended" }) await d.SettleAsync(other, 1);
        await d.AskAsync<MetadataRequest, MetadataResponse>(_ => new() { Topics = [new() { Name = "r" }], AllowAutoTopicCreation = false }, 12, (side, m) => side.Known["r"] = m.Topics[0].TopicId);
        Task Produce(string topic, Func<byte[]> batch, short v, short acks = -1, int partition = 0, [CallerLineNumber] int line = 0) => d.AskAsync<ProduceRequest, ProduceResponse>(side => new()
        {
            Acks = acks, TimeoutMs = 1000,
            TopicData = [new() { Name = v >= 13 ? "" : topic, TopicId = v >= 13 ? side.Get<Guid>("r") : default, PartitionData = [new() { Index = partition, Records = batch() }] }],
        }, v, line: line);
        for (short v = 3; v <= 13; v++) await Produce("r", () => Batches.Of("a", "b"), v);
        await Produce("r", () => Batches.Of("a"), 9, acks: 1);
        await Produce("r", () => Batches.Of("a"), 9, acks: 2);
        await Produce("r", () => Batches.Of("a"), 9, partition: 2);
        await Produce("r", () => Batches.Of("a"), 9, partition: -1);
        await Produce("nowhere", () => Batches.Of("a"), 9);
        await Produce("r", () => [], 9);
        await Produce("r", () => [.. Batches.Of("a"), .. Batches.Of("b")], 9);
        await Produce("r", () => { var b = Batches.Of("a"); b[^1] ^= 1; return b; }, 9);                                  // checksum
        await Produce("r", () => { var b = Batches.Of("a", "b"); b[60] = 3; return Batches.Sealed(b); }, 9);               // count of records
        await Produce("r", () => { var b = Batches.Of("a", "b"); b[26] = 4; return Batches.Sealed(b); }, 9);               // last offset delta
        await Produce("r", () => { var b = Batches.Of("a"); b[16] = 3; return Batches.Sealed(b); }, 9);                    // magic
        await Produce("r", () => { var b = Batches.Of("a"); b[22] |= 0x20; return Batches.Sealed(b); }, 9);                // a control batch
        await Produce("r", () => { var b = Batches.Of("a"); Batches.MakeTransactional(b); return b; }, 9);                 // transactional without a producer
        await Produce("r", () => { var b = Batches.Of("a"); b[27] = 0x7f; b[35] = 0x7f; return Batches.Sealed(b); }, 9);   // a time far ahead
        await Produce("r", () => Batches.Of("a")[..40], 9);
        await Produce("r", () => [.. Batches.Of("a"), 1, 2, 3], 9);
        await Produce("r.small", () => Batches.Of(new string('x', 600)), 9);
        await Produce("r.small", () => Batches.Of("a"), 9);
        await Produce("r.compacted", () => Batches.Of("no key"), 9);
        await Produce("r.appended", () => Batches.Of("a"), 9);
        await d.AskAllAsync<FetchRequest, FetchResponse>((side, v) => Fetch(side, v, "r", 0, 1 << 20));
        await d.AskAllAsync<FetchRequest, FetchResponse>((side, v) => Fetch(side, v, "r", 3, 1));
        await d.AskAllAsync<FetchRequest, FetchResponse>((side, v) => Fetch(side, v, "r", 1000, 1 << 20));
        await d.AskAllAsync<FetchRequest, FetchResponse>((side, v) => Fetch(side, v, "r", -5, 1 << 20));
        await d.AskAllAsync<FetchRequest, FetchResponse>((side, v) => Fetch(side, v, "r", 0, 1 << 20, partition: 5));
        await d.AskAllAsync<FetchRequest, FetchResponse>((side, v) => Fetch(side, v, "nowhere", 0, 1 << 20));
        await d.AskAllAsync<FetchRequest, FetchResponse>((side, v) => Fetch(side, v, "r", 0, 1 << 20, epoch: 5), from: 9);
        await d.AskAllAsync<FetchRequest, FetchResponse>((side, v) => Fetch(side, v, "r.appended", 0, 1 << 20), to: 12);
        foreach (var time in new[] { -1L, -2, -3, -4, -5, -6, -7, 0, 1, long.MaxValue })
        {
            foreach (var topic in new[] { "r", "r.small" })
                await d.AskAllAsync<ListOffsetsRequest, ListOffsetsResponse>((_, _) => new() { ReplicaId = -1, TimeoutMs = 1000, Topics = [new() { Name = topic, Partitions = [new() { Timestamp = time }] }] });
        }
        await d.AskAllAsync<ListOffsetsRequest, ListOffsetsResponse>((_, _) => new() { ReplicaId = -1, Topics = [new() { Name = "r", Partitions = [new() { PartitionIndex = 1, Timestamp = -1 }, new() { PartitionIndex = 9, Timestamp = -1 }] }, new() { Name = "nowhere", Partitions = [new() { Timestamp = -1 }] }] }, byName: true);
        await d.AskAllAsync<ListOffsetsRequest, ListOffsetsResponse>((_, _) => new() { ReplicaId = -1, Topics = [new() { Name = "r", Partitions = [new() { Timestamp = -1, CurrentLeaderEpoch = 9 }] }] }, from: 4);
        await d.AskAllAsync<ListOffsetsRequest, ListOffsetsResponse>((_, _) => new() { ReplicaId = -1, Topics = [new() { Name = "r", Partitions = [new() { Timestamp = -1 }, new() { Timestamp = -2 }] }] });
        await d.AskAllAsync<ListOffsetsRequest, ListOffsetsResponse>((_, _) => new() { ReplicaId = -1, IsolationLevel = 1, Topics = [new() { Name = "r", Partitions = [new() { Timestamp = -1 }] }] }, from: 2);
        foreach (var epoch in new[] { -1, 0, 1, 7 })
            await d.AskAllAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>((_, _) => new() { ReplicaId = -1, Topics = [new() { Topic = "r", Partitions = [new() { Partition = 0, CurrentLeaderEpoch = -1, LeaderEpoch = epoch }, new() { Partition = 8, CurrentLeaderEpoch = -1, LeaderEpoch = epoch }] }] });
        foreach (var offset in new[] { 3L, 2, -1, 10_000 })
        {
            await d.AskAllAsync<DeleteRecordsRequest, DeleteRecordsResponse>((_, _) => new() { TimeoutMs = 1000, Topics = [new() { Name = "r", Partitions = [new() { PartitionIndex = 0, Offset = offset }] }] });
            await d.AskAllAsync<ListOffsetsRequest, ListOffsetsResponse>((_, _) => new() { ReplicaId = -1, TimeoutMs = 1000, Topics = [new() { Name = "r", Partitions = [new() { Timestamp = -2 }] }] });
        }
        await d.AskAllAsync<DeleteRecordsRequest, DeleteRecordsResponse>((_, _) => new() { TimeoutMs = 1000, Topics = [new() { Name = "r.compacted", Partitions = [new() { Offset = 0 }] }, new() { Name = "nowhere", Partitions = [new() { Offset = 0 }] }] }, byName: true);
        await d.AskAllAsync<FetchRequest, FetchResponse>((side, v) => Fetch(side, v, "r", 0, 1 << 20));
        d.Judge();
    }

    static void Published(Dialogue d)
    {
        d.Deviates(ApiKey.CreateTopics, @"\.Configs\[iotgateway\.", "settings of our own");
        d.Deviates(ApiKey.CreateTopics, @"\.Configs\[(message\.timestamp\.after\.max\.ms|segment\.bytes)\]\.Value", "defaults of our own: devices' clocks are wrong, disks are small");
        d.Deviates(ApiKey.CreateTopics, @"\.Configs\[(retention\.ms|min\.insync\.replicas)\]\.(Value|ConfigSource)", "settings of that cluster");
    }

    static FetchRequest Fetch(Dialogue.Side side, short version, string topic, long offset, int bytes, int partition = 0, int epoch = -1) => new()
    {
        ReplicaId = -1, MaxWaitMs = 0, MinBytes = 0, MaxBytes = 1 << 20, SessionId = 0, SessionEpoch = -1,
        Topics = [new() { Topic = version >= 13 ? "" : topic, TopicId = version >= 13 ? side.Known.GetValueOrDefault(topic) as Guid? ?? Nowhere : default, Partitions = [new() { Partition = partition, FetchOffset = offset, PartitionMaxBytes = bytes, CurrentLeaderEpoch = epoch, LastFetchedEpoch = -1, LogStartOffset = -1 }] }],
    };
}
