using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Tells the state of transactional ids.</summary>
internal sealed class DescribeTransactionsApi(Broker broker) : Api<DescribeTransactionsRequest, DescribeTransactionsResponse>
{
    static readonly AccessRule DescribeId = AccessRule.TransactionalId(AclOperation.Describe);
    static readonly AccessRule DescribeTopic = AccessRule.Topic(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DescribeId, DescribeTopic];

    protected override ValueTask<DescribeTransactionsResponse?> HandleAsync(DescribeTransactionsRequest request, RequestContext context)
        => new(new DescribeTransactionsResponse { TransactionStates = [.. request.TransactionalIds.Distinct().Select(id => Describe(id, context))] });

    DescribeTransactionsResponse.TransactionStateData Describe(string id, RequestContext context)
    {
        if (!context.Allows(DescribeId, id)) return new() { TransactionalId = id, ErrorCode = (short)DescribeId.Error };
        if (broker.Transactions.Find(id) is not { } transaction)
            return new() { TransactionalId = id, ErrorCode = (short)(id.Length == 0 ? KafkaError.InvalidRequest : KafkaError.TransactionalIdNotFound) };
        lock (transaction.Gate)
        {
            return new()
            {
                TransactionalId = id,
                TransactionState = transaction.State.ToString(),
                TransactionTimeoutMs = transaction.TimeoutMs,
                TransactionStartTimeMs = transaction.StartTime < 0 ? -1 : broker.Clock.ToMachine(transaction.StartTime),
                ProducerId = transaction.ProducerId,
                ProducerEpoch = transaction.Epoch,
                Topics = [.. transaction.Partitions.GroupBy(p => p.TopicId, p => p.Index).Select(t => (broker.Store.Find(t.Key)?.Name, t)).Where(t => t.Name is not null && context.Sees(DescribeTopic, t.Name))
                    .Select(t => new DescribeTransactionsResponse.TopicData { Topic = t.Name!, Partitions = [.. t.t.Order()] })],
            };
        }
    }
}
