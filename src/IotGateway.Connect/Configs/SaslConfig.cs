using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>How clients of a listener say who they are.</summary>
public sealed record SaslConfig : IValidatableObject
{
    internal static readonly string[] Known = ["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN", OAuthBearer];
    const string OAuthBearer = "OAUTHBEARER";

    [Option("Mechanisms offered: SCRAM-SHA-256, SCRAM-SHA-512, PLAIN, OAUTHBEARER.", Example = "[\"SCRAM-SHA-512\"]")]
    public IReadOnlyList<string> Mechanisms { get; init; } = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

    [Option("Tokens that OAUTHBEARER accepts.", Advanced = true)]
    public OAuthConfig? Tokens { get; init; }

    [Option("A client has to authenticate again within this time; without it, a session lasts as long as the connection.", Example = "1h", Advanced = true)]
    [Range(typeof(TimeSpan), "00:00:05", "30.00:00:00")]
    public TimeSpan? MaxSession { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Mechanisms.Count == 0) yield return new("There is no mechanism.", [nameof(Mechanisms)]);
        for (var i = 0; i < Mechanisms.Count; i++)
            if (!Known.Contains(Mechanisms[i])) yield return new($"Must be one of {string.Join(", ", Known)}.", [$"{nameof(Mechanisms)}[{i}]"]);
        if (Tokens is null && Mechanisms.Contains(OAuthBearer)) yield return new($"{OAuthBearer} needs to know which tokens are good.", [nameof(Tokens)]);
    }
}
