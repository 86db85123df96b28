using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>
/// Gives producers their ids. An idempotent one that asks again gets a new id with epoch 0, as in Kafka; a transactional id keeps its producer id,
/// and each producer that asks in its name gets the next epoch.
/// </summary>
internal sealed class InitProducerIdApi(Broker broker) : Api<InitProducerIdRequest, InitProducerIdResponse>
{
    static readonly AccessRule WriteId = AccessRule.TransactionalId(AclOperation.Write);
    static readonly AccessRule WriteTopic = AccessRule.Topic(AclOperation.Write);
    static readonly AccessRule Idempotent = AccessRule.Cluster(AclOperation.IdempotentWrite);

    public override IReadOnlyList<AccessRule> Access => [WriteId, WriteTopic, Idempotent];

    protected override async ValueTask<InitProducerIdResponse?> HandleAsync(InitProducerIdRequest request, RequestContext context)
    {
        if (request.TransactionalId is { } id ? !context.Allows(WriteId, id) : !context.AllowsSome(WriteTopic) && !context.Allows(Idempotent))
            return new() { ErrorCode = (short)(request.TransactionalId is null ? Idempotent : WriteId).Error, ProducerId = -1, ProducerEpoch = -1 };
        // Both or none (KIP-360).
        if ((request.ProducerId == -1) != (request.ProducerEpoch == -1)) return new() { ErrorCode = (short)KafkaError.InvalidRequest, ProducerId = -1, ProducerEpoch = -1 };
        try
        {
            if (request.TransactionalId is null) return new() { ProducerId = await broker.ProducerIds.NextAsync(context.ConnectionClosed), ProducerEpoch = 0 };
            var result = await broker.Transactions.InitAsync(new(request.TransactionalId, request.ProducerId, request.ProducerEpoch), request.TransactionTimeoutMs, context.ConnectionClosed);
            return new() { ErrorCode = (short)TransactionErrors.Known(result.Error, context.Version >= 4), ProducerId = result.ProducerId, ProducerEpoch = result.Epoch };
        }
        catch (Exception failure) when (Errors.TryMap(failure, out _))
        {
            // The only retriable code every client knows for this API.
            return new() { ErrorCode = (short)KafkaError.CoordinatorNotAvailable, ProducerEpoch = -1 };
        }
    }
}
