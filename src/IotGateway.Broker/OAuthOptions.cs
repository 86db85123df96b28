namespace IotGateway.Broker;

/// <summary>Which tokens a listener with OAUTHBEARER accepts: signed JSON Web Tokens.</summary>
public sealed record OAuthOptions
{
    /// <summary>Keys that sign tokens, as a JSON Web Key Set: a file, or an https address.</summary>
    public required string Jwks { get; init; }

    /// <summary>PEM file of the authorities to trust at that address instead of the system's.</summary>
    public string? Authorities { get; init; }

    /// <summary>Issuer a token must name (<c>iss</c>).</summary>
    public required string Issuer { get; init; }

    /// <summary>Audiences of which a token must name one (<c>aud</c>).</summary>
    public required IReadOnlyList<string> Audiences { get; init; }

    /// <summary>Claim that has the user's name.</summary>
    public string UserClaim { get; init; } = "sub";

    /// <summary>How far the clocks of issuer and gateway may be apart.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(30);
}
