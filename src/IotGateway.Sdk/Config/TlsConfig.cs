namespace IotGateway.Sdk.Config;

/// <summary>TLS towards a peer: the same words in every connector.</summary>
public sealed record TlsConfig
{
    /// <summary>Own authorities.</summary>
    [Option("PEM file of the authorities to trust instead of the system's.", Example = "/etc/iotgateway/ca.pem")]
    public string? Ca { get; init; }

    /// <summary>Client certificate.</summary>
    [Option("PEM file of the client certificate.")]
    public string? Certificate { get; init; }

    /// <summary>Client key.</summary>
    [Option("PEM file of the client certificate's private key.")]
    public string? Key { get; init; }

    /// <summary>Name expected in the server's certificate.</summary>
    [Option("Name expected in the server's certificate; default: the host connected to.", Advanced = true)]
    public string? ServerName { get; init; }
}
