using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>Tokens a listener accepts: signed JSON Web Tokens of one issuer.</summary>
public sealed record OAuthConfig : IValidatableObject
{
    [Option("Keys that sign tokens (a JSON Web Key Set): a file, or the https address of the identity provider.", Example = "https://id.plant.local/keys")]
    public required string Jwks { get; init; }

    [Option("PEM file of the authorities to trust at that address instead of the system's.", Example = "tls/ca.pem")]
    public string? Ca { get; init; }

    [Option("Issuer a token must name.", Example = "https://id.plant.local")]
    public required string Issuer { get; init; }

    [Option("Audiences of which a token must name one.", Example = "[\"kafka\"]"), MinLength(1, ErrorMessage = "There is no audience.")]
    public required IReadOnlyList<string> Audience { get; init; }

    [Option("Claim that has the user's name.", Advanced = true)]
    public string UserClaim { get; init; } = "sub";

    [Option("How far the clocks of issuer and gateway may be apart.", Advanced = true), Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(30);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        // Http would let anyone on the way sign tokens; other schemes read what they should not.
        if (Jwks is not null && (Jwks.Contains("://", StringComparison.Ordinal) || Jwks.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
            && !(Uri.TryCreate(Jwks, UriKind.Absolute, out var address) && address is { Scheme: "https", UserInfo: "" }))
            yield return new("Must be a file or an https address.", [nameof(Jwks)]);
    }
}
