using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Takes offsets that become a group's when the transaction commits. From version 5 on this adds the group to the transaction (KIP-890).</summary>
internal sealed class TxnOffsetCommitApi(Broker broker) : Api<TxnOffsetCommitRequest, TxnOffsetCommitResponse>
{
    const short ImplicitAdd = 5;

    protected override async ValueTask<TxnOffsetCommitResponse?> HandleAsync(TxnOffsetCommitRequest request, RequestContext context)
    {
        var (verdict, offsets) = broker.Groups.CheckTransactional(new()
        {
            ApiVersion = context.Version,
            GroupId = request.GroupId,
            GenerationOrEpoch = request.GenerationId,
            MemberId = request.MemberId,
            InstanceId = request.GroupInstanceId,
            Topics = [.. request.Topics.Select(t => new TopicItems<OffsetToCommit>(
                t.Name, [.. t.Partitions.Select(p => new OffsetToCommit(p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.CommittedMetadata))]))],
        });
        var error = (KafkaError)verdict.Error;
        if (error == KafkaError.None)
            error = await TransactionErrors.Of(broker.Transactions.AddOffsetsAsync(
                new(request.TransactionalId, request.ProducerId, request.ProducerEpoch), request.GroupId, context.Version >= ImplicitAdd, offsets), knowsFenced: false);
        var errors = verdict.Topics.SelectMany(t => t.Partitions).Select(p => (short)p.Error).ToList();
        var at = 0;
        // There is no error for the whole in this answer: it goes to every partition.
        short Next() => at < errors.Count && errors[at] != 0 ? errors[at++] : Whole();
        short Whole()
        {
            at++;
            return (short)error;
        }
        return new()
        {
            Topics = [.. request.Topics.Select(t => new TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic
            {
                Name = t.Name,
                Partitions = [.. t.Partitions.Select(p => new TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition { PartitionIndex = p.PartitionIndex, ErrorCode = Next() })],
            })],
        };
    }
}
