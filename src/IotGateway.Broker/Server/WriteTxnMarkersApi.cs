using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using IotGateway.Log;
using Partition = IotGateway.Log.Partition;

namespace IotGateway.Broker.Server;

/// <summary>Ends transactions in partitions by hand (<c>kafka-transactions --abort</c>), past the coordinator, which here needs no such request.</summary>
internal sealed class WriteTxnMarkersApi(Broker broker) : Api<WriteTxnMarkersRequest, WriteTxnMarkersResponse>
{
    static readonly AccessRule Alter = AccessRule.Cluster(AclOperation.Alter);
    static readonly AccessRule Act = AccessRule.Cluster(AclOperation.ClusterAction);

    public override IReadOnlyList<AccessRule> Access => [Alter, Act];

    protected override async ValueTask<WriteTxnMarkersResponse?> HandleAsync(WriteTxnMarkersRequest request, RequestContext context)
    {
        var response = new WriteTxnMarkersResponse();
        // Operators end hanging transactions by it; it came from brokers first.
        var allowed = context.Sees(Alter, Acl.Cluster) || context.Allows(Act);
        foreach (var marker in request.Markers)
        {
            var result = new WriteTxnMarkersResponse.WritableTxnMarkerResult { ProducerId = marker.ProducerId };
            if (marker.Topics.Exists(t => t.PartitionIndexes.Count > 0)) response.Markers.Add(result);
            var unit = new LogUnit { Reserved = true };
            var written = new List<WriteTxnMarkersResponse.WritableTxnMarkerPartitionResult>();
            foreach (var topic in marker.Topics)
            {
                var answers = new WriteTxnMarkersResponse.WritableTxnMarkerTopicResult { Name = topic.Name };
                result.Topics.Add(answers);
                foreach (var index in topic.PartitionIndexes)
                {
                    var answer = new WriteTxnMarkersResponse.WritableTxnMarkerPartitionResult { PartitionIndex = index };
                    answers.Partitions.Add(answer);
                    if (!allowed) answer.ErrorCode = (short)Act.Error;
                    else if (await RefusalAsync(marker, topic.Name, index, context) is not KafkaError.None and var error) answer.ErrorCode = (short)error;
                    else
                    {
                        unit.EndTransaction(marker.ProducerId, marker.ProducerEpoch, marker.TransactionResult, [broker.Store.Find(topic.Name)!.Partitions[index]]);
                        written.Add(answer);
                    }
                }
            }
            var failure = await CommitAsync(unit);
            foreach (var answer in written) answer.ErrorCode = (short)failure;
        }
        return response;
    }

    async ValueTask<KafkaError> RefusalAsync(WriteTxnMarkersRequest.WritableTxnMarker marker, string topic, int index, RequestContext context)
    {
        if (broker.Store.Find(topic) is not { } found || index < 0 || index >= found.Partitions.Count) return KafkaError.UnknownTopicOrPartition;
        if (marker.ProducerId < 0 || marker.ProducerEpoch < 0) return KafkaError.InvalidRequest;
        if (broker.Options.Guard.IsReadOnly(topic)) return KafkaError.TopicAuthorizationFailed;
        var producers = await found.Partitions[index].ProducersAsync(context.ConnectionClosed);
        return producers.Any(p => p.ProducerId == marker.ProducerId && p.Epoch > marker.ProducerEpoch) ? KafkaError.InvalidProducerEpoch : KafkaError.None;
    }

    async ValueTask<KafkaError> CommitAsync(LogUnit unit)
    {
        try
        {
            await broker.Store.CommitAsync(unit, CancellationToken.None);
            return KafkaError.None;
        }
        catch (Exception failure) when (Errors.TryMap(failure, out var error))
        {
            return error;
        }
    }
}
