using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using Partition = IotGateway.Log.Partition;

namespace IotGateway.Broker.Server;

/// <summary>Adds partitions to a producer's transaction, all or none: when one cannot be added, the others are told OPERATION_NOT_ATTEMPTED.</summary>
internal sealed class AddPartitionsToTxnApi(Broker broker) : Api<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>
{
    static readonly AccessRule WriteId = AccessRule.TransactionalId(AclOperation.Write);
    static readonly AccessRule WriteTopic = AccessRule.Topic(AclOperation.Write);

    public override IReadOnlyList<AccessRule> Access => [WriteId, WriteTopic];

    protected override async ValueTask<AddPartitionsToTxnResponse?> HandleAsync(AddPartitionsToTxnRequest request, RequestContext context)
    {
        var partitions = new List<Partition>();
        var answers = new List<AddPartitionsToTxnResponse.AddPartitionsToTxnPartitionResult>();
        var response = new AddPartitionsToTxnResponse();
        var refused = false;
        var owner = context.Allows(WriteId, request.V3AndBelowTransactionalId);
        foreach (var asked in request.V3AndBelowTopics)
        {
            var topic = broker.Store.Find(asked.Name);
            var allowed = owner && context.Allows(WriteTopic, asked.Name);
            var result = new AddPartitionsToTxnResponse.AddPartitionsToTxnTopicResult { Name = asked.Name };
            response.ResultsByTopicV3AndBelow.Add(result);
            foreach (var index in asked.Partitions)
            {
                var answer = new AddPartitionsToTxnResponse.AddPartitionsToTxnPartitionResult { PartitionIndex = index };
                result.ResultsByPartition.Add(answer);
                answers.Add(answer);
                if (!owner) answer.PartitionErrorCode = (short)WriteId.Error;
                else if (!allowed) answer.PartitionErrorCode = (short)WriteTopic.Error;
                else if (topic is null || index < 0 || index >= topic.Partitions.Count) answer.PartitionErrorCode = (short)KafkaError.UnknownTopicOrPartition;
                else if (broker.Options.Guard.IsReadOnly(asked.Name)) answer.PartitionErrorCode = (short)KafkaError.TopicAuthorizationFailed;
                else partitions.Add(topic.Partitions[index]);
                refused |= answer.PartitionErrorCode != 0;
            }
        }
        var error = refused ? KafkaError.OperationNotAttempted : await TransactionErrors.Of(broker.Transactions.AddPartitionsAsync(
            new(request.V3AndBelowTransactionalId, request.V3AndBelowProducerId, request.V3AndBelowProducerEpoch), partitions), context.Version >= 2);
        foreach (var answer in answers)
            if (answer.PartitionErrorCode == 0) answer.PartitionErrorCode = (short)error;
        return response;
    }
}
