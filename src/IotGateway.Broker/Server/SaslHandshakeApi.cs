using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Begins to authenticate, or to do so again. Where the listener has no SASL it is out of place.</summary>
internal sealed class SaslHandshakeApi : Api<SaslHandshakeRequest, SaslHandshakeResponse>
{
    protected override ValueTask<SaslHandshakeResponse?> HandleAsync(SaslHandshakeRequest request, RequestContext context)
        => new(context.Connection.Sasl?.Handshake(request.Mechanism, context.Version) ?? new() { ErrorCode = (short)KafkaError.IllegalSaslState });
}
