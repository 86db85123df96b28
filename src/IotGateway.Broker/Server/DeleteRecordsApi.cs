using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Moves the start of partitions up.</summary>
internal sealed class DeleteRecordsApi(Broker broker) : Api<DeleteRecordsRequest, DeleteRecordsResponse>
{
    static readonly AccessRule Delete = AccessRule.Topic(AclOperation.Delete);

    public override IReadOnlyList<AccessRule> Access => [Delete];

    protected override async ValueTask<DeleteRecordsResponse?> HandleAsync(DeleteRecordsRequest request, RequestContext context)
    {
        var response = new DeleteRecordsResponse();
        foreach (var topic in request.Topics)
        {
            var result = new DeleteRecordsResponse.DeleteRecordsTopicResult { Name = topic.Name };
            response.Topics.Add(result);
            var allowed = context.Allows(Delete, topic.Name);
            foreach (var asked in topic.Partitions) result.Partitions.Add(!allowed ? new() { PartitionIndex = asked.PartitionIndex, LowWatermark = -1, ErrorCode = (short)Delete.Error } : await DeleteAsync(topic.Name, asked, context.ConnectionClosed));
        }
        return response;
    }

    async ValueTask<DeleteRecordsResponse.DeleteRecordsPartitionResult> DeleteAsync(string name, DeleteRecordsRequest.DeleteRecordsPartition asked, CancellationToken ct)
    {
        var answer = new DeleteRecordsResponse.DeleteRecordsPartitionResult { PartitionIndex = asked.PartitionIndex, LowWatermark = -1 };
        if (broker.Store.Find(name) is not { } topic || asked.PartitionIndex < 0 || asked.PartitionIndex >= topic.Partitions.Count)
            answer.ErrorCode = (short)KafkaError.UnknownTopicOrPartition;
        else if (broker.Topics.IsProtected(name))
            answer.ErrorCode = (short)KafkaError.TopicAuthorizationFailed;
        else if (topic.Rules is { Compacts: true, Deletes: false })
            answer.ErrorCode = (short)KafkaError.PolicyViolation; // of each key the last record is promised to stay
        else if (asked.Offset < -1)
            answer.ErrorCode = (short)KafkaError.OffsetOutOfRange;
        else
        {
            try
            {
                answer.LowWatermark = await topic.Partitions[asked.PartitionIndex].DeleteRecordsAsync(asked.Offset, ct);
            }
            catch (Exception failure) when (Errors.TryMap(failure, out var error))
            {
                answer.ErrorCode = (short)error;
            }
        }
        return answer;
    }
}
