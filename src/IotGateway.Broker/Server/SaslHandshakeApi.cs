using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Begins to authenticate, or to do so again. Where the listener has no SASL it is out of place.</summary>
internal sealed class SaslHandshakeApi : Api<SaslHandshakeRequest, SaslHandshakeResponse>
{
    /// <summary>Nothing: who the client is comes after.</summary>
    public override IReadOnlyList<AccessRule> Access => [];

    protected override ValueTask<SaslHandshakeResponse?> HandleAsync(SaslHandshakeRequest request, RequestContext context)
        => new(context.Connection.Sasl?.Handshake(request.Mechanism, context.Version) ?? new() { ErrorCode = (short)KafkaError.IllegalSaslState });
}
