using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// What a broker's certificate must satisfy: a chain to the system's or the configured authorities, validity, always the name, and with pins one of
/// these keys in the chain.
/// There is no switch that turns this off.
/// </summary>
static class MqttTls
{
    const string PinPrefix = "sha256/";

    /// <summary>Builds the options of one handshake.</summary>
    /// <exception cref="PermanentException">A certificate or key file is missing or no PEM.</exception>
    public static SslClientAuthenticationOptions Options(TlsConfig? tls, IReadOnlyList<string> pins, string host)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = tls?.ServerName ?? host };
        if (pins.Count > 0) options.RemoteCertificateValidationCallback = (_, _, chain, errors) => IsPinned(chain, errors, pins);
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

    /// <summary>How a public key is written as a pin: SHA-256 of its SubjectPublicKeyInfo in base64 (as in RFC 7469 §2.4).</summary>
    public static string PinOf(X509Certificate2 certificate) => PinPrefix + Convert.ToBase64String(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));

    /// <summary>Whether a text can be a pin.</summary>
    public static bool IsPin(string text)
        => text.StartsWith(PinPrefix, StringComparison.Ordinal) && Convert.TryFromBase64String(text[PinPrefix.Length..], stackalloc byte[64], out var bytes) && bytes == SHA256.HashSizeInBytes;

    static bool IsPinned(X509Chain? chain, SslPolicyErrors errors, IReadOnlyList<string> pins)
    {
        // A pin is one more condition, never a way around the others.
        if (errors != SslPolicyErrors.None) throw new AuthenticationException($"The remote certificate is invalid: {errors} {string.Join(", ", chain?.ChainStatus.Select(s => s.Status) ?? [])}".TrimEnd() + ".");
        var seen = chain!.ChainElements.Select(e => PinOf(e.Certificate)).ToList();
        return seen.Exists(pins.Contains) ? true
            : throw new AuthenticationException($"None of the broker's keys is among 'pins'; it shows {string.Join(", ", seen)}. If the broker got a new key, write it into 'pins'; if not, this is not your broker.");
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
