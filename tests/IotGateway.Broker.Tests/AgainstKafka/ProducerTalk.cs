using System.Runtime.CompilerServices;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Who a producer says it is: one that was learnt under a name, with another epoch or id if so said.</summary>
/// <param name="Name">Under which it was learnt.</param>
/// <param name="Epoch">Added to its epoch.</param>
/// <param name="Id">Added to its id.</param>
sealed record Who(string Name, int Epoch = 0, long Id = 0)
{
    public (long Id, short Epoch) On(Dialogue.Side side)
    {
        var (id, epoch) = side.Get<(long, short)>(Name);
        return (id + Id, (short)(epoch + Epoch));
    }

    public static implicit operator Who(string name) => new(name);
}

/// <summary>What idempotent and transactional producers ask, to both sides of a dialogue.</summary>
sealed class ProducerTalk
{
    readonly Dialogue _d;

    public ProducerTalk(Dialogue dialogue)
    {
        _d = dialogue;
        // A coordinator that is not ready, markers that are on their way, and what Produce makes of these for clients that do not know them.
        _d.Later.UnionWith([(short)KafkaError.CoordinatorNotAvailable, (short)KafkaError.NotCoordinator, 14, 51, 19, 6]);
        _d.Deviates(ApiKey.Produce, @"\.LogAppendTimeMs = (now|-1)$", "beside a repeated batch Kafka tells its time, also where records keep their own; by the protocol that is -1");
    }

    /// <summary>Makes topics, and waits until both have them and a coordinator.</summary>
    public async Task PrepareAsync(params (string Name, int Partitions)[] topics)
    {
        await _d.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(_ => new() { TimeoutMs = 5000, Topics = [.. topics.Select(t => new CreateTopicsRequest.CreatableTopic { Name = t.Name, NumPartitions = t.Partitions, ReplicationFactor = 1 })] }, 4);
        foreach (var (name, partitions) in topics)
        {
            await _d.SettleAsync(name, partitions);
            await _d.AskAsync<MetadataRequest, MetadataResponse>(_ => new() { Topics = [new() { Name = name }], AllowAutoTopicCreation = false }, 12, (side, m) => side.Known[name] = m.Topics[0].TopicId);
        }
        await _d.AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(_ => new() { KeyType = 1, CoordinatorKeys = ["any"] }, 4);
        await _d.AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(_ => new() { KeyType = 0, CoordinatorKeys = ["any"] }, 4);
    }

    /// <summary>Asks for id and epoch, and learns them under a name.</summary>
    public Task InitAsync(string name, string? id, short v = 5, int timeout = 60_000, Who? claim = null, [CallerLineNumber] int line = 0) => _d.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(side => new()
    {
        TransactionalId = id, TransactionTimeoutMs = timeout, ProducerId = claim?.On(side).Id ?? -1, ProducerEpoch = claim?.On(side).Epoch ?? -1,
    }, v, (side, r) =>
    {
        if (r.ErrorCode == 0) side.Known[name] = (r.ProducerId, r.ProducerEpoch);
    }, line: line);

    /// <summary>Asks to write one batch; of a transaction when there is an id, but for <paramref name="plain"/>.</summary>
    public Task ProduceAsync(string topic, Who who, int sequence, short v = 9, string? id = null, int partition = 0, int records = 1, bool? plain = null, [CallerLineNumber] int line = 0) => SendAsync(topic, side =>
    {
        var batch = Batches.Of(who.On(side).Id, who.On(side).Epoch, sequence, [.. Enumerable.Range(0, records).Select(i => "v" + i)]);
        if (!(plain ?? id is null)) Batches.MakeTransactional(batch);
        return batch;
    }, v, id, partition, line);

    /// <summary>Asks to write whatever bytes.</summary>
    public Task SendAsync(string topic, Func<Dialogue.Side, byte[]> records, short v = 9, string? id = null, int partition = 0, [CallerLineNumber] int line = 0) => _d.AskAsync<ProduceRequest, ProduceResponse>(side => new()
    {
        Acks = -1, TimeoutMs = 5000, TransactionalId = id,
        TopicData = [new() { Name = v >= 13 ? "" : topic, TopicId = v >= 13 ? side.Get<Guid>(topic) : default, PartitionData = [new() { Index = partition, Records = records(side) }] }],
    }, v, line: line);

    public Task AddAsync(string id, Who who, short v, (string Topic, int Partition)[] partitions, [CallerLineNumber] int line = 0) => _d.AskAsync<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(side => new()
    {
        V3AndBelowTransactionalId = id, V3AndBelowProducerId = who.On(side).Id, V3AndBelowProducerEpoch = who.On(side).Epoch,
        V3AndBelowTopics = [.. partitions.GroupBy(p => p.Topic, p => p.Partition).Select(t => new AddPartitionsToTxnRequest.AddPartitionsToTxnTopic { Name = t.Key, Partitions = [.. t] })],
    }, v, byName: true, line: line);

    public Task AddGroupAsync(string id, Who who, string group, short v = 3, [CallerLineNumber] int line = 0) => _d.AskAsync<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(side => new()
    {
        TransactionalId = id, ProducerId = who.On(side).Id, ProducerEpoch = who.On(side).Epoch, GroupId = group,
    }, v, line: line);

    /// <summary>Ends a transaction; what EndTxn 5 answers is learnt under the producer's name, or another.</summary>
    public Task EndAsync(string id, Who who, bool commit, short v, string? learn = null, [CallerLineNumber] int line = 0) => _d.AskAsync<EndTxnRequest, EndTxnResponse>(side => new()
    {
        TransactionalId = id, ProducerId = who.On(side).Id, ProducerEpoch = who.On(side).Epoch, Committed = commit,
    }, v, (side, r) =>
    {
        if (r.ErrorCode == 0 && r.ProducerId >= 0) side.Known[learn ?? who.Name] = (r.ProducerId, r.ProducerEpoch);
    }, line: line);

    public Task OffsetsAsync(string id, Who who, string group, short v, string topic, int partition, long offset, Func<Dialogue.Side, string>? member = null, int generation = -1, string? instance = null, string? metadata = "", [CallerLineNumber] int line = 0)
        => _d.AskAsync<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(side => new()
        {
            TransactionalId = id, ProducerId = who.On(side).Id, ProducerEpoch = who.On(side).Epoch, GroupId = group, MemberId = member?.Invoke(side) ?? "", GenerationId = generation, GroupInstanceId = instance,
            Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset, CommittedLeaderEpoch = 0, CommittedMetadata = metadata }] }],
        }, v, line: line);

    /// <summary>What a group has committed, in all versions.</summary>
    public async Task CommittedAsync(string group, string topic, int partitions = 1, [CallerLineNumber] int line = 0)
    {
        List<int> all = [.. Enumerable.Range(0, partitions)];
        await _d.AskAllAsync<OffsetFetchRequest, OffsetFetchResponse>((_, v) => new() { GroupId = group, Topics = [new() { Name = topic, PartitionIndexes = all }], RequireStable = v >= 7 }, to: 7, line: line);
        foreach (var stable in new[] { true, false })
            await _d.AskAllAsync<OffsetFetchRequest, OffsetFetchResponse>((side, v) => new()
            {
                RequireStable = stable, Groups = [new() { GroupId = group, Topics = [new() { Name = v >= 10 ? "" : topic, TopicId = v >= 10 ? side.Get<Guid>(topic) : default, PartitionIndexes = all }] }],
            }, from: 8, line: line);
    }

    /// <summary>Waits until an id's markers are written, and compares what is told of it.</summary>
    public Task SettledAsync(string id, [CallerLineNumber] int line = 0) => _d.AskAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(_ => new() { TransactionalIds = [id] }, 0,
        again: r => r.TransactionStates.Exists(t => t.TransactionState.StartsWith("Prepare", StringComparison.Ordinal)), byName: true, line: line);

    /// <summary>What is read of a partition under both isolation levels, and where it ends.</summary>
    public async Task ReadAsync(string topic, int partition = 0, short from = 11, short to = 13, long offset = 0, [CallerLineNumber] int line = 0)
    {
        foreach (var level in new sbyte[] { 0, 1 })
        {
            await _d.AskAllAsync<FetchRequest, FetchResponse>((side, v) => new()
            {
                ReplicaId = -1, MaxWaitMs = 0, MinBytes = 0, MaxBytes = 1 << 20, SessionId = 0, SessionEpoch = -1, IsolationLevel = level,
                Topics = [new() { Topic = v >= 13 ? "" : topic, TopicId = v >= 13 ? side.Get<Guid>(topic) : default, Partitions = [new() { Partition = partition, FetchOffset = offset, PartitionMaxBytes = 1 << 20, CurrentLeaderEpoch = -1, LastFetchedEpoch = -1, LogStartOffset = -1 }] }],
            }, from, to, line: line);
            foreach (var time in new[] { -1L, 1 }) // the greatest timestamp (-3) is here not that of a marker
                await _d.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(_ => new() { ReplicaId = -1, IsolationLevel = level, Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, Timestamp = time, CurrentLeaderEpoch = -1 }] }] }, 8, line: line);
        }
    }

    public Task ProducersAsync((string Topic, int Partition)[] partitions, [CallerLineNumber] int line = 0) => _d.AskAsync<DescribeProducersRequest, DescribeProducersResponse>(_ => new()
    {
        Topics = [.. partitions.GroupBy(p => p.Topic, p => p.Partition).Select(t => new DescribeProducersRequest.TopicRequest { Name = t.Key, PartitionIndexes = [.. t] })],
    }, 0, byName: true, line: line);
}
