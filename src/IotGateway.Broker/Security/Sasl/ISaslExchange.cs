namespace IotGateway.Broker.Security.Sasl;

/// <summary>The server's side of one exchange of a SASL mechanism. Used once, by one connection.</summary>
internal interface ISaslExchange
{
    /// <summary>Takes the client's next message. Whatever is in it, the answer is a step, never an exception.</summary>
    ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte> token, CancellationToken ct);
}
