using IotGateway.Broker.Groups;
using IotGateway.Broker.Groups.Offsets;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using IotGateway.Broker.Transactions;

namespace IotGateway.Broker.Server;

/// <summary>Takes offsets that become a group's when the transaction commits. From version 5 on this adds the group to the transaction (KIP-890).</summary>
internal sealed class TxnOffsetCommitApi(Broker broker) : Api<TxnOffsetCommitRequest, TxnOffsetCommitResponse>
{
    const short Abortable = 4, ImplicitAdd = 5;
    static readonly AccessRule Write = AccessRule.TransactionalId(AclOperation.Write);
    static readonly AccessRule ReadGroup = AccessRule.Group(AclOperation.Read);
    static readonly AccessRule ReadTopic = AccessRule.Topic(AclOperation.Read);

    public override IReadOnlyList<AccessRule> Access => [Write, ReadGroup, ReadTopic];

    protected override async ValueTask<TxnOffsetCommitResponse?> HandleAsync(TxnOffsetCommitRequest request, RequestContext context)
    {
        var refused = !context.Allows(Write, request.TransactionalId) ? Write.Error : !context.Allows(ReadGroup, request.GroupId) ? ReadGroup.Error : KafkaError.None;
        if (refused != KafkaError.None) return Answer(request, (_, _) => refused);
        var readable = request.Topics.Select(t => t.Name).Distinct().Where(t => context.Allows(ReadTopic, t)).ToHashSet();
        var call = new OffsetCommitCall
        {
            ApiVersion = context.Version,
            GroupId = request.GroupId,
            GenerationOrEpoch = request.GenerationId,
            MemberId = request.MemberId,
            InstanceId = request.GroupInstanceId,
            Topics = [.. request.Topics.Where(t => readable.Contains(t.Name)).Select(t => new TopicItems<OffsetToCommit>(
                t.Name, [.. t.Partitions.Select(p => new OffsetToCommit(p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.CommittedMetadata))]))],
        };
        var (verdict, offsets) = broker.Groups.PlanTransactional(call);
        var errors = verdict.Topics.SelectMany(t => t.Partitions.Select(p => (t.Topic, p.Partition, Error: (KafkaError)p.Error))).ToLookup(p => (p.Topic, p.Partition), p => p.Error);
        // With unknown partitions alone nobody is bothered.
        var error = errors.All(p => p.Contains(KafkaError.UnknownTopicOrPartition)) ? KafkaError.None
            : verdict.Error != GroupError.None ? (KafkaError)verdict.Error
            : await AddAsync(call, new(request.TransactionalId, request.ProducerId, request.ProducerEpoch), offsets);
        // There is no error for the whole in this answer: it goes to every partition that is known.
        return Answer(request, (topic, partition) => !readable.Contains(topic) ? ReadTopic.Error
            : errors[(topic, partition)].FirstOrDefault(e => e != KafkaError.None) is var own && (own == KafkaError.UnknownTopicOrPartition || error == KafkaError.None) ? own : error);
    }

    /// <summary>Asks the transaction first, then the group: as in Kafka, what adds implicitly has added the group by the time that refuses.</summary>
    async Task<KafkaError> AddAsync(OffsetCommitCall call, ProducerClaim claim, IReadOnlyList<(string Topic, int Partition, CommittedOffset Offset)> offsets)
    {
        var implicitly = call.ApiVersion >= ImplicitAdd;
        var error = TransactionErrors.Known(broker.Transactions.CheckGroup(claim, call.GroupId, implicitly), knowsFenced: false);
        if (error == KafkaError.None)
        {
            var refused = (KafkaError)broker.Groups.CheckTransactional(call);
            if (refused != KafkaError.None && !implicitly) return refused;
            error = await TransactionErrors.Of(refused == KafkaError.None
                ? broker.Transactions.AddOffsetsAsync(claim, call.GroupId, implicitly, offsets)
                : broker.Transactions.AddGroupAsync(claim, call.GroupId), knowsFenced: false);
            if (error == KafkaError.None) return refused;
        }
        return TransactionErrors.NotAdded(error, call.ApiVersion >= Abortable);
    }

    static TxnOffsetCommitResponse Answer(TxnOffsetCommitRequest request, Func<string, int, KafkaError> error) => new()
    {
        Topics = [.. request.Topics.Select(t => new TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic
        {
            Name = t.Name,
            Partitions = [.. t.Partitions.Select(p => new TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition { PartitionIndex = p.PartitionIndex, ErrorCode = (short)error(t.Name, p.PartitionIndex) })],
        })],
    };
}
