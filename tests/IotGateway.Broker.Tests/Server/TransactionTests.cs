using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Transactions;
using IotGateway.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Broker.Tests.Server;

/// <summary>The transaction APIs by the wire: versions, fencing, repeated requests, pending offsets, restarts.</summary>
public sealed class TransactionTests
{
    const string Id = "tx";

    [Fact]
    public async Task The_new_protocol_is_told_as_final_in_all_that_belongs_to_it()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var versions = await client.CallAsync<ApiVersionsRequest, ApiVersionsResponse>(new() { ClientSoftwareName = "t", ClientSoftwareVersion = "1" }, 4);
        Assert.Equal((2, 2), versions.FinalizedFeatures.Where(f => f.Name == "transaction.version").Select(f => (f.MinVersionLevel, f.MaxVersionLevel)).Single());
        foreach (var (key, most) in new[] { (ApiKey.Produce, 13), (ApiKey.TxnOffsetCommit, 5), (ApiKey.EndTxn, 5), (ApiKey.InitProducerId, 5), (ApiKey.AddPartitionsToTxn, 3) })
            Assert.Equal(most, versions.ApiKeys.Single(a => a.ApiKey == (short)key).MaxVersion);
        Assert.Equal(0, (await client.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { KeyType = 1, CoordinatorKeys = [Id] }, 4)).Coordinators[0].ErrorCode);
        Assert.Equal((short)KafkaError.InvalidRequest, (await client.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { KeyType = 2, CoordinatorKeys = [Id] }, 6)).Coordinators[0].ErrorCode);
    }

    [Fact]
    public async Task A_repeated_end_of_version_5_gets_the_same_epoch_also_after_a_restart()
    {
        var directory = Directory.CreateTempSubdirectory("broker").FullName;
        (long, short) producer;
        await using (var broker = await TestBroker.StartAsync(directory: directory, keep: true))
        {
            await broker.CreateAsync("t");
            await using var client = await broker.ConnectAsync();
            producer = await InitAsync(client);
            Assert.Equal(KafkaError.None, await ProduceAsync(client, producer, 0, "a"));
            Assert.Equal((KafkaError.None, producer.Item1, 1), await EndAsync(client, producer, commit: true));
            Assert.Equal((KafkaError.None, producer.Item1, 1), await EndAsync(client, producer, commit: true));
            Assert.Equal(KafkaError.InvalidTxnState, (await EndAsync(client, producer, commit: false)).Item1);
            Assert.Equal(2, broker.Store.Find("t")!.Partitions[0].LastStableOffset);
        }
        await using (var broker = await TestBroker.StartAsync(directory: directory))
        {
            await using var client = await broker.ConnectAsync();
            Assert.Equal((KafkaError.None, producer.Item1, 1), await EndAsync(client, producer, commit: true));
            Assert.Equal(KafkaError.InvalidProducerEpoch, await ProduceAsync(client, producer, 1, "late"));
            Assert.Equal(KafkaError.None, await ProduceAsync(client, (producer.Item1, 1), 0, "b"));
            Assert.Equal(KafkaError.ProducerFenced, (await EndAsync(client, producer, commit: true)).Item1);
            Assert.Equal((KafkaError.None, producer.Item1, 2), await EndAsync(client, (producer.Item1, 1), commit: false));
        }
    }

    [Fact]
    public async Task Older_versions_add_partitions_first_and_keep_their_epoch()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var producer = await InitAsync(client);
        Assert.Equal(KafkaError.InvalidTxnState, await ProduceAsync(client, producer, 0, "a", version: 10));
        Assert.Equal(KafkaError.TransactionAbortable, await ProduceAsync(client, producer, 0, "a", version: 11));
        Assert.Equal([KafkaError.None], await AddAsync(client, producer, "t"));
        Assert.Equal(KafkaError.None, await ProduceAsync(client, producer, 0, "a", version: 11));
        Assert.Equal((KafkaError.None, -1, -1), await EndAsync(client, producer, commit: true, version: 1));
        Assert.Equal((KafkaError.None, -1, -1), await EndAsync(client, producer, commit: true, version: 1));
        Assert.Equal(KafkaError.InvalidTxnState, (await EndAsync(client, producer, commit: false, version: 1)).Item1);
        Assert.Equal(KafkaError.TransactionAbortable, await ProduceAsync(client, producer, 1, "late", version: 11));
        Assert.Equal([KafkaError.OperationNotAttempted, KafkaError.UnknownTopicOrPartition], await AddAsync(client, producer, "t", "none"));
        Assert.Equal([KafkaError.None], await AddAsync(client, producer, "t"));
        Assert.Equal(KafkaError.None, await ProduceAsync(client, producer, 1, "b", version: 11));
        Assert.Equal(KafkaError.InvalidProducerEpoch, (await EndAsync(client, (producer.Id, 7), commit: true, version: 1)).Item1);
        Assert.Equal(KafkaError.ProducerFenced, (await EndAsync(client, (producer.Id, 7), commit: true, version: 2)).Item1);
        Assert.Equal(KafkaError.InvalidProducerIdMapping, (await EndAsync(client, (producer.Id + 1, 0), commit: true, version: 2)).Item1);
    }

    [Fact]
    public async Task The_next_producer_aborts_what_is_open_and_fences_the_one_before()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var first = await InitAsync(client);
        await ProduceAsync(client, first, 0, "a");
        Assert.Equal(0, broker.Store.Find("t")!.Partitions[0].LastStableOffset);
        var second = await InitAsync(client);
        Assert.Equal((first.Id, (short)2), second); // the abort's is in between
        Assert.Equal(2, broker.Store.Find("t")!.Partitions[0].LastStableOffset);
        Assert.Equal(KafkaError.InvalidProducerEpoch, await ProduceAsync(client, first, 1, "b"));
        Assert.Equal(KafkaError.ProducerFenced, (await InitRawAsync(client, first)).Error);
        Assert.Equal((KafkaError.None, first.Id, 3), await InitRawAsync(client, second));
        Assert.Equal((KafkaError.None, first.Id, 3), await InitRawAsync(client, second)); // its answer was lost
        Assert.Equal(KafkaError.InvalidTransactionTimeout, (await InitRawAsync(client, (-1, -1), timeout: 900_001)).Error);
        var fetched = await client.CallAsync<FetchRequest, FetchResponse>(Committed("t"), 11);
        var answer = fetched.Responses[0].Partitions[0];
        Assert.Equal((first.Id, 0L), answer.AbortedTransactions!.Select(a => (a.ProducerId, a.FirstOffset)).Single());
    }

    [Fact]
    public async Task Offsets_of_an_open_transaction_are_told_as_unstable_until_it_ends()
    {
        var directory = Directory.CreateTempSubdirectory("broker").FullName;
        (long Id, short) producer;
        await using (var broker = await TestBroker.StartAsync(directory: directory, keep: true))
        {
            await broker.CreateAsync("t", 2);
            await using var client = await broker.ConnectAsync();
            producer = await InitAsync(client);
            Assert.Equal(KafkaError.InvalidTxnState, await CommitAsync(client, producer, 5, version: 3));
            Assert.Equal(KafkaError.TransactionAbortable, await CommitAsync(client, producer, 5, version: 4));
            Assert.Equal(KafkaError.None, await CommitAsync(client, producer, 5));
            Assert.Equal((KafkaError.UnstableOffsetCommit, -1L), await FetchAsync(client, stable: true));
            Assert.Equal((KafkaError.None, -1L), await FetchAsync(client, stable: false));
        }
        await using (var broker = await TestBroker.StartAsync(directory: directory, keep: true))
        {
            await using var client = await broker.ConnectAsync();
            Assert.Equal((KafkaError.UnstableOffsetCommit, -1L), await FetchAsync(client, stable: true));
            Assert.Equal(KafkaError.None, (await EndAsync(client, producer, commit: true)).Error);
            Assert.Equal((KafkaError.None, 5L), await FetchAsync(client, stable: true));
            Assert.Equal(KafkaError.None, await CommitAsync(client, (producer.Id, 1), 9));
            Assert.Equal(KafkaError.None, (await EndAsync(client, (producer.Id, 1), commit: false)).Error);
            Assert.Equal((KafkaError.None, 5L), await FetchAsync(client, stable: true));
        }
        await using (var broker = await TestBroker.StartAsync(directory: directory))
        {
            await using var client = await broker.ConnectAsync();
            Assert.Equal((KafkaError.None, 5L), await FetchAsync(client, stable: true));
        }
    }

    [Fact]
    public async Task A_group_of_pending_offsets_is_there_also_after_a_restart()
    {
        var directory = Directory.CreateTempSubdirectory("broker").FullName;
        (long Id, short Epoch) producer;
        await using (var broker = await TestBroker.StartAsync(directory: directory, keep: true))
        {
            await broker.CreateAsync("t", 2);
            await using var client = await broker.ConnectAsync();
            producer = await InitAsync(client);
            Assert.Equal((KafkaError)GroupError.IllegalGeneration, await CommitAsync(client, producer, 1, generation: 5));
            Assert.Equal(KafkaError.None, await CommitAsync(client, producer, 1));
            Assert.Equal((KafkaError)GroupError.UnknownMemberId, await CommitAsync(client, producer, 1, generation: 5));
        }
        await using (var broker = await TestBroker.StartAsync(directory: directory))
        {
            await using var client = await broker.ConnectAsync();
            Assert.Equal((KafkaError)GroupError.UnknownMemberId, await CommitAsync(client, producer, 1, generation: 5));
        }
    }

    [Fact]
    public async Task Records_of_a_transaction_need_its_id_and_one_producer()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var producer = await InitAsync(client);
        var request = Requests.Produce("t", Batch(producer, 0, "a"));
        Assert.Equal(KafkaError.TransactionalIdAuthorizationFailed, Error(await client.CallAsync<ProduceRequest, ProduceResponse>(request, 12)));
        request = Requests.Produce("t", [.. Batch(producer, 0, "a"), .. Batches.Of("outside")]);
        request.TransactionalId = Id;
        Assert.Equal(KafkaError.InvalidRecord, Error(await client.CallAsync<ProduceRequest, ProduceResponse>(request, 12)));
        Assert.Equal(KafkaError.InvalidProducerIdMapping, await ProduceAsync(client, (producer.Id + 5, 0), 0, "a"));
        Assert.Equal(0, broker.Store.Find("t")!.Partitions[0].HighWatermark);
    }

    [Fact]
    public async Task Nothing_gets_ahead_of_the_first_records_of_a_partition()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var producer = await InitAsync(client);
        Assert.Equal(KafkaError.OutOfOrderSequenceNumber, await ProduceAsync(client, producer, 1, "b"));
        var corrupt = Batch(producer, 0, "a");
        corrupt[^1] ^= 1;
        Assert.Equal(KafkaError.CorruptMessage, await ProduceAsync(client, corrupt));
        Assert.Equal(KafkaError.OutOfOrderSequenceNumber, await ProduceAsync(client, producer, 1, "b"));
        Assert.Equal(KafkaError.None, await ProduceAsync(client, producer, 0, "a"));
        Assert.Equal(KafkaError.None, await ProduceAsync(client, producer, 1, "b"));
        Assert.Equal(KafkaError.None, (await EndAsync(client, producer, commit: true, version: 4)).Item1); // keeps the epoch, and so the sequence
        Assert.Equal(KafkaError.None, await ProduceAsync(client, producer, 2, "c"));
        Assert.Equal((KafkaError.None, producer.Id, 1), await EndAsync(client, producer, commit: true));
        Assert.Equal(KafkaError.OutOfOrderSequenceNumber, await ProduceAsync(client, (producer.Id, 1), 3, "d"));
        Assert.Equal(KafkaError.None, await ProduceAsync(client, (producer.Id, 1), 0, "d"));
    }

    [Fact]
    public async Task A_refused_first_record_leaves_nothing_open_behind_a_restart()
    {
        var directory = Directory.CreateTempSubdirectory("broker").FullName;
        await using (var broker = await TestBroker.StartAsync(directory: directory, keep: true))
        {
            await broker.CreateAsync("t", 2);
            await using var client = await broker.ConnectAsync();
            var producer = await InitAsync(client);
            var corrupt = Batch(producer, 0, "a");
            corrupt[^1] ^= 1;
            Assert.Equal(KafkaError.CorruptMessage, await ProduceAsync(client, corrupt));
            Assert.Equal(KafkaError.None, await ProduceAsync(client, producer, 0, "b")); // brings the state the first could not
        }
        await using (var broker = await TestBroker.StartAsync(directory: directory))
        {
            await using var client = await broker.ConnectAsync();
            var described = await client.CallAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(new() { TransactionalIds = [Id, "none"] }, 0);
            Assert.Equal("Ongoing", described.TransactionStates[0].TransactionState);
            Assert.Equal(("t", 0), (described.TransactionStates[0].Topics.Single().Topic, described.TransactionStates[0].Topics.Single().Partitions.Single()));
            Assert.Equal((short)KafkaError.TransactionalIdNotFound, described.TransactionStates[1].ErrorCode);
            var listed = await client.CallAsync<ListTransactionsRequest, ListTransactionsResponse>(new() { StateFilters = ["Ongoing", "PrepareCommit", "Odd"], TransactionalIdPattern = "t." }, 2);
            Assert.Equal([Id], listed.TransactionStates.Select(t => t.TransactionalId));
            Assert.Equal(["Odd"], listed.UnknownStateFilters);
            Assert.Empty((await client.CallAsync<ListTransactionsRequest, ListTransactionsResponse>(new() { DurationFilter = 3_600_000 }, 1)).TransactionStates);
        }
    }

    [Fact]
    public async Task A_producer_whose_epochs_are_used_up_goes_on_with_a_new_id()
    {
        var directory = Directory.CreateTempSubdirectory("broker").FullName;
        await using (var log = await LogStore.OpenAsync(new() { Directory = directory, WalBytes = 16 << 20 }, NullLogger.Instance, TimeProvider.System, TestContext.Current.CancellationToken))
        {
            var unit = new LogUnit();
            var old = new Transaction(Id) { ProducerId = 4711, Epoch = short.MaxValue - 2, TimeoutMs = 60_000, LastUpdate = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() };
            unit.Put(TransactionRecord.Table, TransactionRecord.Key(Id), TransactionRecord.Write(old));
            await log.CommitAsync(unit, TestContext.Current.CancellationToken);
        }
        await using var broker = await TestBroker.StartAsync(directory: directory);
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        Assert.Equal(KafkaError.None, await ProduceAsync(client, (4711, short.MaxValue - 2), 0, "a"));
        Assert.Equal((KafkaError.None, 4711, short.MaxValue - 1), await EndAsync(client, (4711, short.MaxValue - 2), commit: true));
        Assert.Equal(KafkaError.None, await ProduceAsync(client, (4711, short.MaxValue - 1), 0, "b"));
        var (error, next, epoch) = await EndAsync(client, (4711, short.MaxValue - 1), commit: true);
        Assert.Equal((KafkaError.None, 0), (error, epoch));
        Assert.NotEqual(4711, next);
        Assert.Equal((KafkaError.None, next, 0), await EndAsync(client, (4711, short.MaxValue - 1), commit: true));
        Assert.Equal(KafkaError.InvalidProducerIdMapping, await ProduceAsync(client, (4711, short.MaxValue - 1), 1, "late"));
        Assert.Equal(KafkaError.None, await ProduceAsync(client, (next, 0), 0, "c"));
        Assert.Equal(4, broker.Store.Find("t")!.Partitions[0].LastStableOffset);
    }

    [Fact]
    public async Task An_id_not_used_for_long_is_forgotten_but_not_while_its_transaction_is_open()
    {
        var options = new TransactionOptions
        {
            IdExpiration = TimeSpan.FromMilliseconds(1), IdExpirationCheckInterval = TimeSpan.Zero, TimeoutCheckInterval = TimeSpan.FromMilliseconds(20),
        };
        await using var broker = await TestBroker.StartAsync(new() { Transactions = options });
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var producer = await InitAsync(client);
        // Between the two the id may be forgotten already: then the producer is told so, and asks again.
        while (await ProduceAsync(client, producer, 0, "a") == KafkaError.InvalidProducerIdMapping) producer = await InitAsync(client);
        for (var i = 0; i < 50; i++)
            Assert.Single((await client.CallAsync<ListTransactionsRequest, ListTransactionsResponse>(new(), 1)).TransactionStates);
        Assert.Equal(KafkaError.None, (await EndAsync(client, producer, commit: true)).Error);
        var started = TimeProvider.System.GetTimestamp();
        while ((await client.CallAsync<ListTransactionsRequest, ListTransactionsResponse>(new(), 1)).TransactionStates.Count + broker.Store.Scan(TransactionRecord.Table).Count > 0)
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(10), "The id is still there.");
        Assert.Equal(KafkaError.InvalidProducerIdMapping, (await EndAsync(client, producer, commit: true)).Error);
    }

    static async Task<(long Id, short Epoch)> InitAsync(RawClient client)
    {
        var (error, id, epoch) = await InitRawAsync(client, (-1, -1));
        Assert.Equal(KafkaError.None, error);
        return (id, (short)epoch);
    }

    static async Task<(KafkaError Error, long, int)> InitRawAsync(RawClient client, (long Id, short Epoch) known, int timeout = 60_000)
    {
        var answer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = Id, TransactionTimeoutMs = timeout, ProducerId = known.Id, ProducerEpoch = known.Epoch }, 5);
        return ((KafkaError)answer.ErrorCode, answer.ProducerId, answer.ProducerEpoch);
    }

    static async Task<(KafkaError Error, long, int)> EndAsync(RawClient client, (long Id, short Epoch) producer, bool commit, short version = 5)
    {
        var answer = await client.CallAsync<EndTxnRequest, EndTxnResponse>(
            new() { TransactionalId = Id, ProducerId = producer.Id, ProducerEpoch = producer.Epoch, Committed = commit }, version);
        return ((KafkaError)answer.ErrorCode, answer.ProducerId, answer.ProducerEpoch);
    }

    static async Task<IEnumerable<KafkaError>> AddAsync(RawClient client, (long Id, short Epoch) producer, params string[] topics)
    {
        var answer = await client.CallAsync<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(new()
        {
            V3AndBelowTransactionalId = Id, V3AndBelowProducerId = producer.Id, V3AndBelowProducerEpoch = producer.Epoch,
            V3AndBelowTopics = [.. topics.Select(t => new AddPartitionsToTxnRequest.AddPartitionsToTxnTopic { Name = t, Partitions = [0] })],
        }, 0);
        return answer.ResultsByTopicV3AndBelow.Select(t => (KafkaError)t.ResultsByPartition[0].PartitionErrorCode);
    }

    static Task<KafkaError> ProduceAsync(RawClient client, (long Id, short Epoch) producer, int sequence, string value, short version = 12)
        => ProduceAsync(client, Batch(producer, sequence, value), version);

    static async Task<KafkaError> ProduceAsync(RawClient client, byte[] batch, short version = 12)
    {
        var request = Requests.Produce("t", batch);
        request.TransactionalId = Id;
        return Error(await client.CallAsync<ProduceRequest, ProduceResponse>(request, version));
    }

    static KafkaError Error(ProduceResponse response) => (KafkaError)response.Responses[0].PartitionResponses[0].ErrorCode;

    static async Task<KafkaError> CommitAsync(RawClient client, (long Id, short Epoch) producer, long offset, short version = 5, int generation = -1)
    {
        var answer = await client.CallAsync<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(new()
        {
            TransactionalId = Id, GroupId = "g", ProducerId = producer.Id, ProducerEpoch = producer.Epoch, GenerationId = generation,
            Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 1, CommittedOffset = offset }] }],
        }, version);
        return (KafkaError)answer.Topics[0].Partitions[0].ErrorCode;
    }

    static async Task<(KafkaError, long)> FetchAsync(RawClient client, bool stable)
    {
        var answer = await client.CallAsync<OffsetFetchRequest, OffsetFetchResponse>(
            new() { RequireStable = stable, Groups = [new() { GroupId = "g", Topics = [new() { Name = "t", PartitionIndexes = [1] }] }] }, 8);
        var partition = answer.Groups[0].Topics[0].Partitions[0];
        return ((KafkaError)partition.ErrorCode, partition.CommittedOffset);
    }

    static FetchRequest Committed(string topic)
    {
        var request = Requests.Fetch(topic, 0);
        request.IsolationLevel = 1;
        return request;
    }

    /// <summary>A batch with the transactional bit, sealed anew.</summary>
    static byte[] Batch((long Id, short Epoch) producer, int sequence, string value)
    {
        var batch = Batches.Of(producer.Id, producer.Epoch, sequence, value);
        Batches.MakeTransactional(batch);
        return batch;
    }
}
