using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Tells what partitions know of idempotent and transactional producers.</summary>
internal sealed class DescribeProducersApi(Broker broker) : Api<DescribeProducersRequest, DescribeProducersResponse>
{
    static readonly AccessRule Read = AccessRule.Topic(AclOperation.Read);

    public override IReadOnlyList<AccessRule> Access => [Read];

    protected override async ValueTask<DescribeProducersResponse?> HandleAsync(DescribeProducersRequest request, RequestContext context)
    {
        var response = new DescribeProducersResponse();
        var told = new HashSet<(string, int)>();
        foreach (var topic in request.Topics)
        {
            var found = broker.Store.Find(topic.Name);
            var result = new DescribeProducersResponse.TopicResponse { Name = topic.Name };
            response.Topics.Add(result);
            var allowed = context.Allows(Read, topic.Name);
            foreach (var index in topic.PartitionIndexes.Where(i => told.Add((topic.Name, i))))
            {
                var answer = new DescribeProducersResponse.PartitionResponse { PartitionIndex = index };
                result.Partitions.Add(answer);
                if (!allowed)
                {
                    answer.ErrorCode = (short)Read.Error;
                    continue;
                }
                if (found is null || index < 0 || index >= found.Partitions.Count)
                {
                    answer.ErrorCode = (short)KafkaError.UnknownTopicOrPartition;
                    continue;
                }
                answer.ActiveProducers = [.. (await found.Partitions[index].ProducersAsync(context.ConnectionClosed)).Select(p => new DescribeProducersResponse.ProducerState
                {
                    ProducerId = p.ProducerId,
                    ProducerEpoch = p.Epoch,
                    LastSequence = p.LastSequence,
                    LastTimestamp = broker.Clock.ToMachine(p.LastTime),
                    CoordinatorEpoch = p.CoordinatorEpoch,
                    CurrentTxnStartOffset = p.OpenSince,
                })];
            }
        }
        return response;
    }
}
