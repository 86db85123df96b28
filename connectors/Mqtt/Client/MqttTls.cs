using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// What a broker's certificate must satisfy: a chain to the system's or the configured authorities, validity, and always the name.
/// There is no switch that turns this off.
/// </summary>
static class MqttTls
{
    /// <summary>Builds the options of one handshake.</summary>
    /// <exception cref="PermanentException">A certificate or key file is missing or no PEM.</exception>
    public static SslClientAuthenticationOptions Options(TlsConfig? tls, string host)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = tls?.ServerName ?? host };
        if (tls?.Ca is { } ca)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            Load("ca", ca, () => policy.CustomTrustStore.ImportFromPemFile(ca));
            if (policy.CustomTrustStore.Count == 0) throw new PermanentException($"tls.ca: '{ca}' holds no certificate in PEM.");
            options.CertificateChainPolicy = policy;
        }
        if (tls?.Certificate is { } certificate)
        {
            X509Certificate2? own = null;
            Load("certificate", certificate, () => own = X509Certificate2.CreateFromPemFile(certificate, tls.Key));
            options.ClientCertificates = [own!];
        }
        return options;
    }

    static void Load(string option, string path, Action load)
    {
        try
        {
            load();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new PermanentException($"tls.{option}: '{path}' cannot be used: {e.Message}", e);
        }
    }
}
