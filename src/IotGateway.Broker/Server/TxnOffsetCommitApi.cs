using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

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
        var (verdict, offsets) = broker.Groups.CheckTransactional(new()
        {
            ApiVersion = context.Version,
            GroupId = request.GroupId,
            GenerationOrEpoch = request.GenerationId,
            MemberId = request.MemberId,
            InstanceId = request.GroupInstanceId,
            Topics = [.. request.Topics.Where(t => readable.Contains(t.Name)).Select(t => new TopicItems<OffsetToCommit>(
                t.Name, [.. t.Partitions.Select(p => new OffsetToCommit(p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.CommittedMetadata))]))],
        });
        var error = (KafkaError)verdict.Error;
        if (error == KafkaError.None)
            error = TransactionErrors.NotAdded(await TransactionErrors.Of(broker.Transactions.AddOffsetsAsync(
                new(request.TransactionalId, request.ProducerId, request.ProducerEpoch), request.GroupId, context.Version >= ImplicitAdd, offsets), knowsFenced: false), context.Version >= Abortable);
        // There is no error for the whole in this answer: it goes to every partition.
        var errors = verdict.Topics.SelectMany(t => t.Partitions.Select(p => (t.Topic, p.Partition, Error: (KafkaError)p.Error)))
            .Where(p => p.Error != KafkaError.None).ToLookup(p => (p.Topic, p.Partition), p => p.Error);
        return Answer(request, (topic, partition) => !readable.Contains(topic) ? ReadTopic.Error : errors[(topic, partition)].FirstOrDefault(error));
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
