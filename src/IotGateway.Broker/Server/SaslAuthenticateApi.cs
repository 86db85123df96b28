using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>One message of the exchange that <see cref="SaslHandshakeApi"/> began.</summary>
internal sealed class SaslAuthenticateApi : Api<SaslAuthenticateRequest, SaslAuthenticateResponse>
{
    /// <summary>Nothing: who the client is comes after.</summary>
    public override IReadOnlyList<AccessRule> Access => [];

    protected override async ValueTask<SaslAuthenticateResponse?> HandleAsync(SaslAuthenticateRequest request, RequestContext context)
        => context.Connection.Sasl is { } session ? await session.AuthenticateAsync(request.AuthBytes, context.ConnectionClosed)
            : new() { ErrorCode = (short)KafkaError.IllegalSaslState, ErrorMessage = $"Listener {context.Connection.Listener.Name} has no SASL." };
}
