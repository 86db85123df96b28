using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using IotGateway.Broker.Security.Scram;

namespace IotGateway.Broker.Security.OAuth;

/// <summary>
/// Decides whether a JSON Web Token (RFC 7519, RFC 8725) is good: signed by a known key with that key's algorithm, by the right issuer, for this
/// audience, and now. An unsigned token is never. Thread-safe.
/// </summary>
internal sealed class JwtVerifier(OAuthOptions options, IKeySource keys, TimeProvider time) : IDisposable
{
    static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>The last second of a NumericDate taken: the year 9900.</summary>
    const double LastSecond = 250_000_000_000;

    /// <summary>Whose it is and until when it is accepted; or why it is not good, in words without the token.</summary>
    public async ValueTask<(string? User, DateTimeOffset Expires, string Problem)> VerifyAsync(string token, CancellationToken ct)
    {
        try
        {
            var parts = token.Split('.');
            if (parts is not [var head, var body, { Length: > 0 } signature]) return Refuse("The token is no signed JSON Web Token.");
            using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(head), Strict);
            if (header.RootElement.ValueKind != JsonValueKind.Object || JsonText.Get(header.RootElement, "alg") is not { } algorithm) return Refuse("The token names no algorithm.");
            if (header.RootElement.TryGetProperty("crit", out _)) return Refuse("The token has critical extensions, of which none is known."); // RFC 7515 §4.1.11
            var id = JsonText.Get(header.RootElement, "kid");
            var candidates = (await keys.GetAsync(id, ct)).Find(id);
            if (candidates.Count == 0) return Refuse("The token is signed with a key that is not in the key set.");
            var (signed, proof) = (Encoding.ASCII.GetBytes($"{head}.{body}"), Base64Url.DecodeFromChars(signature));
            if (!candidates.Any(k => k.Verify(algorithm, signed, proof))) return Refuse("The token's signature is wrong, or of an algorithm the key is not for.");
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(body), Strict);
            return Check(claims.RootElement);
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException)
        {
            return Refuse("The token is no JSON Web Token.");
        }
        catch (JwksException missing)
        {
            return Refuse(missing.Message);
        }
    }

    public void Dispose() => keys.Dispose();

    (string? User, DateTimeOffset Expires, string Problem) Check(JsonElement claims)
    {
        if (claims.ValueKind != JsonValueKind.Object) return Refuse("The token has no claims.");
        var now = time.GetUtcNow();
        if (JsonText.Get(claims, "iss") != options.Issuer) return Refuse("The token is of another issuer.");
        if (!Audiences(claims).Any(options.Audiences.Contains)) return Refuse("The token is for another audience.");
        if (Time(claims, "exp") is not { } expires) return Refuse("The token does not say until when it is good.");
        expires += options.ClockSkew;
        if (expires <= now) return Refuse("The token has expired.");
        if (Time(claims, "nbf") > now + options.ClockSkew) return Refuse("The token is not good yet.");
        if (Time(claims, "iat") > now + options.ClockSkew) return Refuse("The token was issued in the future: compare the clocks.");
        var user = JsonText.Get(claims, options.UserClaim);
        return user is { Length: > 0 and <= UserStore.LongestName } ? (user, expires, "") : Refuse($"The token has no claim '{options.UserClaim}'.");
    }

    static (string?, DateTimeOffset, string) Refuse(string problem) => (null, default, problem);

    /// <summary>A NumericDate (RFC 7519 §2); a claim that is there and none makes the token malformed.</summary>
    static DateTimeOffset? Time(JsonElement claims, string name)
    {
        if (!claims.TryGetProperty(name, out var value)) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || seconds is not (>= 0 and <= LastSecond)) throw new FormatException(name);
        return DateTimeOffset.UnixEpoch.AddSeconds(seconds);
    }

    static IEnumerable<string> Audiences(JsonElement claims)
    {
        if (!claims.TryGetProperty("aud", out var audience)) return [];
        return audience.ValueKind switch
        {
            JsonValueKind.String => [JsonText.Of(audience)],
            JsonValueKind.Array => [.. audience.EnumerateArray().Where(a => a.ValueKind == JsonValueKind.String).Select(JsonText.Of)],
            _ => [],
        };
    }
}
