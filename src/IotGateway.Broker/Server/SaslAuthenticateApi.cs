using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>One message of the exchange that <see cref="SaslHandshakeApi"/> began.</summary>
internal sealed class SaslAuthenticateApi : Api<SaslAuthenticateRequest, SaslAuthenticateResponse>
{
    protected override async ValueTask<SaslAuthenticateResponse?> HandleAsync(SaslAuthenticateRequest request, RequestContext context)
        => context.Connection.Sasl is { } session ? await session.AuthenticateAsync(request.AuthBytes, context.ConnectionClosed)
            : new() { ErrorCode = (short)KafkaError.IllegalSaslState, ErrorMessage = $"Listener {context.Connection.Listener.Name} has no SASL." };
}
