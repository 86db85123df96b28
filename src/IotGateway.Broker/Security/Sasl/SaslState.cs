namespace IotGateway.Broker.Security.Sasl;

/// <summary>What a connection with SASL waits for.</summary>
internal enum SaslState
{
    /// <summary>ApiVersions or SaslHandshake, from a client that has not authenticated.</summary>
    Handshake,
    /// <summary>The next message of the exchange in SaslAuthenticate (handshake version 1).</summary>
    Token,
    /// <summary>The next message of the exchange as a bare frame (handshake version 0).</summary>
    BareToken,
    /// <summary>Any request: the client is known.</summary>
    Done,
    /// <summary>Nothing more.</summary>
    Failed,
}
