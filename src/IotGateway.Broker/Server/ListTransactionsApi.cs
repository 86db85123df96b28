using IotGateway.Broker.Groups.Consumer;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using IotGateway.Broker.Transactions;

namespace IotGateway.Broker.Server;

/// <summary>Lists transactional ids, by state, producer id, age and name where the client wants.</summary>
internal sealed class ListTransactionsApi(Broker broker) : Api<ListTransactionsRequest, ListTransactionsResponse>
{
    static readonly AccessRule Describe = AccessRule.TransactionalId(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [Describe];

    /// <summary>Kafka's states that never last here: an end is one step.</summary>
    static readonly string[] NeverSeen = ["PrepareCommit", "PrepareAbort", "PrepareEpochFence", "Dead"];

    protected override ValueTask<ListTransactionsResponse?> HandleAsync(ListTransactionsRequest request, RequestContext context)
    {
        var states = request.StateFilters;
        TopicPattern? pattern = null;
        if (request.TransactionalIdPattern is { Length: > 0 } text && (pattern = TopicPattern.TryParse(text, out _)) is null)
            return new(new ListTransactionsResponse { ErrorCode = (short)KafkaError.InvalidRegularExpression });
        var now = broker.Clock.Now;
        var response = new ListTransactionsResponse { UnknownStateFilters = [.. states.Where(s => !Enum.GetNames<TransactionState>().Contains(s) && !NeverSeen.Contains(s)).Distinct()] };
        foreach (var transaction in broker.Transactions.All)
        {
            lock (transaction.Gate)
            {
                if (transaction.ProducerId < 0
                    || (states.Count > 0 && !states.Contains(transaction.State.ToString()))
                    || (request.ProducerIdFilters.Count > 0 && !request.ProducerIdFilters.Contains(transaction.ProducerId))
                    || (request.DurationFilter >= 0 && now - transaction.StartTime <= request.DurationFilter)
                    || pattern?.Matches(transaction.Id) == false
                    || !context.Sees(Describe, transaction.Id)) continue;
                response.TransactionStates.Add(new() { TransactionalId = transaction.Id, ProducerId = transaction.ProducerId, TransactionState = transaction.State.ToString() });
            }
        }
        return new(response);
    }
}
