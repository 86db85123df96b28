using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Tests.Server.Access;

/// <summary>A broker that checks ACLs, with topic <c>t</c>, group <c>g</c>, group <c>c</c> of the consumer protocol, and transactional id <c>x</c> with topic t in its open transaction.</summary>
sealed class AccessWorld(TestBroker broker, RawClient client) : IAsyncDisposable
{
    static readonly Acl[] Everything =
    [
        .. from type in new[] { ResourceType.Topic, ResourceType.Group, ResourceType.TransactionalId }
           select new Acl(type, Acl.Wildcard, PatternType.Literal, "User:*", "*", AclOperation.All, AclPermission.Allow),
        new(ResourceType.Cluster, Acl.Cluster, PatternType.Literal, "User:*", "*", AclOperation.All, AclPermission.Allow),
    ];

    int _names;

    public RawClient Client => client;

    /// <summary>A name not used before.</summary>
    public string Next(string what) => $"{what}-{++_names}";

    public Guid TopicId { get; private set; }

    public long ProducerId { get; private set; }

    public short Epoch { get; private set; }

    public static async Task<AccessWorld> StartAsync()
    {
        var broker = await TestBroker.StartAsync(new() { Acls = new() });
        return new(broker, await broker.ConnectAsync());
    }

    /// <summary>Everything is there and everybody may do everything.</summary>
    public async Task ResetAsync()
    {
        await SetAclsAsync(Everything);
        TopicId = (broker.Store.Find("t") ?? await broker.CreateAsync("t")).Id;
        if (broker.Store.Find("new") is { } made) await broker.Store.DeleteTopicAsync(made.Id, TestContext.Current.CancellationToken);
        await client.ProduceAsync("t", Batches.Of("one"));
        await client.CallAsync<OffsetCommitRequest, OffsetCommitResponse>(new() { GroupId = "g", Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 1 }] }] }, 9);
        await client.CallAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(
            new() { GroupId = "c", MemberId = "member-of-c", RebalanceTimeoutMs = 10_000, SubscribedTopicNames = ["t"], TopicPartitions = [] }, 1);
        var producer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = "x", TransactionTimeoutMs = 60_000 }, 4);
        (ProducerId, Epoch) = (producer.ProducerId, producer.ProducerEpoch);
        await client.CallAsync<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(new()
        {
            V3AndBelowTransactionalId = "x", V3AndBelowProducerId = ProducerId, V3AndBelowProducerEpoch = Epoch, V3AndBelowTopics = [new() { Name = "t", Partitions = [0] }],
        }, 3);
        await client.CallAsync<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(new() { TransactionalId = "x", ProducerId = ProducerId, ProducerEpoch = Epoch, GroupId = "g" }, 3);
    }

    /// <summary>From now on everybody may do exactly this.</summary>
    public Task AllowAsync(IEnumerable<Grant> grants)
        => SetAclsAsync(grants.Select(g => new Acl(g.Rule.Type, g.Name, PatternType.Literal, "User:ANONYMOUS", "127.0.0.1", g.Rule.Operation, AclPermission.Allow)));

    public IEnumerable<IotGateway.Broker.Server.Api> Apis => broker.Server.Broker.Apis.All;

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        await broker.DisposeAsync();
    }

    async Task SetAclsAsync(IEnumerable<Acl> acls)
    {
        var store = broker.Server.Broker.Authorizer!.Store;
        await store.RemoveAsync([new(ResourceType.Any, null, PatternType.Any, null, null, AclOperation.Any, AclPermission.Any)], TestContext.Current.CancellationToken);
        await store.AddAsync([.. acls], TestContext.Current.CancellationToken);
    }
}

/// <summary>One ACL: an operation on one resource.</summary>
sealed record Grant(AccessRule Rule, string Name);
