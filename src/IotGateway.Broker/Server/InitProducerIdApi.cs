using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>
/// Gives idempotent producers their ids; as in Kafka, one that asks again gets a new id with epoch 0. Transactional ids are answered
/// UNSUPPORTED_VERSION: the transaction APIs are not advertised, and this tells a client so at once and for good.
/// </summary>
internal sealed class InitProducerIdApi(Broker broker) : Api<InitProducerIdRequest, InitProducerIdResponse>
{
    protected override async ValueTask<InitProducerIdResponse?> HandleAsync(InitProducerIdRequest request, RequestContext context)
    {
        if (request.TransactionalId is not null) return new() { ErrorCode = (short)KafkaError.UnsupportedVersion, ProducerEpoch = -1 };
        try
        {
            return new() { ProducerId = await broker.ProducerIds.NextAsync(context.ConnectionClosed), ProducerEpoch = 0 };
        }
        catch (Exception failure) when (Errors.TryMap(failure, out _))
        {
            // The only retriable code every client knows for this API.
            return new() { ErrorCode = (short)KafkaError.CoordinatorNotAvailable, ProducerEpoch = -1 };
        }
    }
}
