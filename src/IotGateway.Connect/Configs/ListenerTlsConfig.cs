using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>TLS of a listener. Relative paths start in the configuration folder; changed files are read again by themselves.</summary>
public sealed record ListenerTlsConfig : IValidatableObject
{
    [Option("PEM file of the server's certificate, followed by those between it and its authority.", Example = "tls/server.pem")]
    public required string Certificate { get; init; }

    [Option("PEM file of its private key.", Example = "tls/server.key")]
    public required string Key { get; init; }

    [Option("Password of the key file, where it is encrypted.", Secret = true, Advanced = true)]
    public string? KeyPassword { get; init; }

    [Option("Whether clients bring certificates: none, want (what is brought must be good), need.")]
    public ClientCertificateUse ClientCertificates { get; init; }

    [Option("PEM file of the authorities whose client certificates are good.", Example = "tls/clients-ca.pem")]
    public string? ClientAuthorities { get; init; }

    [Option("Rules that make a user's name of a certificate's subject, as Kafka's ssl.principal.mapping.rules; the first that fits counts.", Example = "[\"RULE:^CN=([^,]+).*$/$1/\", \"DEFAULT\"]", Advanced = true)]
    public IReadOnlyList<string> PrincipalRules { get; init; } = ["DEFAULT"];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ClientCertificates != ClientCertificateUse.None && ClientAuthorities is null)
            yield return new("Clients are to bring certificates: say who may have signed them.", [nameof(ClientAuthorities)]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{nameof(ListenerTlsConfig)} {Certificate}"; // never the password
}
