using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Commits or aborts a transaction. From version 5 on the producer goes on with the id and epoch it is answered (KIP-890).</summary>
internal sealed class EndTxnApi(Broker broker) : Api<EndTxnRequest, EndTxnResponse>
{
    const short Bumps = 5;
    static readonly AccessRule Write = AccessRule.TransactionalId(AclOperation.Write);

    public override IReadOnlyList<AccessRule> Access => [Write];

    protected override async ValueTask<EndTxnResponse?> HandleAsync(EndTxnRequest request, RequestContext context)
    {
        if (!context.Allows(Write, request.TransactionalId)) return new() { ErrorCode = (short)Write.Error };
        try
        {
            var result = await broker.Transactions.EndAsync(
                new(request.TransactionalId, request.ProducerId, request.ProducerEpoch), request.Committed, context.Version >= Bumps, context.ConnectionClosed);
            return new() { ErrorCode = (short)TransactionErrors.Known(result.Error, context.Version >= 2), ProducerId = result.ProducerId, ProducerEpoch = result.Epoch };
        }
        catch (Exception failure) when (Errors.TryMap(failure, out _))
        {
            return new() { ErrorCode = (short)KafkaError.CoordinatorNotAvailable };
        }
    }
}
