using System.Text;
using System.Text.RegularExpressions;
using IotGateway.Broker.Security.Sasl;

namespace IotGateway.Broker.Security.OAuth;

/// <summary>
/// OAUTHBEARER (RFC 7628): one message with the token. A token that is not accepted is answered with a status first, and the exchange fails with the
/// client's next message, whatever that is. Used once.
/// </summary>
internal sealed partial class OAuthBearerExchange(JwtVerifier verifier, Attempt attempt) : ISaslExchange
{
    public const string Name = "OAUTHBEARER";

    static readonly byte[] InvalidToken = """{"status":"invalid_token"}"""u8.ToArray();
    string? _problem;

    public async ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte> token, CancellationToken ct)
    {
        if (_problem is not null) return SaslStep.Failed(_problem);
        var message = Shape().Match(Encoding.Latin1.GetString(token.Span));
        if (!message.Success) return SaslStep.Failed("The message holds no bearer token.");
        var (user, expires, problem) = await verifier.VerifyAsync(message.Groups["token"].Value, ct);
        if (user is not null && message.Groups["authzid"] is { Success: true, Value: var authzid } && authzid != user) (user, problem) = (null, "To act for another user is not possible.");
        if (user is not null) return SaslStep.Done(user, [], expires);
        _problem = problem;
        attempt.Failed(); // counted now: the client may never send what ends the exchange
        return SaslStep.Challenge(InvalidToken);
    }

    /// <summary>RFC 7628 §3.1; further pairs of names and values (Kafka's extensions) are allowed and not looked at.</summary>
    [GeneratedRegex("^n,(?:a=(?<authzid>[^,]+))?,\u0001(?:[A-Za-z]+=[^\u0001]*\u0001)*?auth=[Bb][Ee][Aa][Rr][Ee][Rr] +(?<token>[A-Za-z0-9._~+/=-]+)\u0001(?:[A-Za-z]+=[^\u0001]*\u0001)*\u0001$", RegexOptions.NonBacktracking)]
    private static partial Regex Shape();
}
