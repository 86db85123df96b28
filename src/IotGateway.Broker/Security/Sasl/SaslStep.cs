namespace IotGateway.Broker.Security.Sasl;

/// <summary>What an exchange answers: a challenge, the end, or a failure. Immutable.</summary>
/// <param name="Token">To the client.</param>
/// <param name="User">Who it is; set at the end.</param>
/// <param name="Failure">Why not, for the log; never holds a secret.</param>
/// <param name="Expires">When the credentials end, where they do.</param>
internal sealed record SaslStep(ReadOnlyMemory<byte> Token, string? User, string? Failure, DateTimeOffset? Expires)
{
    public static SaslStep Challenge(byte[] token) => new(token, null, null, null);

    public static SaslStep Done(string user, byte[] token, DateTimeOffset? expires = null) => new(token, user, null, expires);

    public static SaslStep Failed(string why) => new(default, null, why, null);
}
