namespace IotGateway.Broker;

/// <summary>TLS of one listener. The files are read again when they change.</summary>
public sealed class ListenerTls
{
    /// <summary>PEM file of the server's certificate, followed by intermediate ones.</summary>
    public required string Certificate { get; init; }

    /// <summary>PEM file of its private key.</summary>
    public required string Key { get; init; }

    /// <summary>Password of the key file; null: it is not encrypted.</summary>
    public string? KeyPassword { get; init; }

    /// <summary>Whether clients bring certificates.</summary>
    public ClientCertificates ClientCertificates { get; init; }

    /// <summary>PEM file of the authorities whose client certificates are good; required where clients bring any.</summary>
    public string? ClientAuthorities { get; init; }

    /// <summary>Rules that make a user's name of a certificate's subject (<c>ssl.principal.mapping.rules</c>); the first that matches counts.</summary>
    public IReadOnlyList<string> PrincipalRules { get; init; } = ["DEFAULT"];

    internal TimeSpan Recheck { get; init; } = TimeSpan.FromSeconds(10);
}
