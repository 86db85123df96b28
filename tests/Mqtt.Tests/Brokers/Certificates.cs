using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IotGateway.Tests.Mqtt.Brokers;

/// <summary>An authority made for one test, and certificates it signs, as PEM files in a folder.</summary>
sealed class Certificates : IDisposable
{
    static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    readonly string _folder;
    readonly X509Certificate2 _authority;

    public Certificates(string folder)
    {
        _folder = folder;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        _authority = request.CreateSelfSigned(Now.AddDays(-2), Now.AddDays(30));
        File.WriteAllText(Ca, _authority.ExportCertificatePem());
    }

    public string Ca => Path.Combine(_folder, "ca.pem");

    /// <summary>Writes NAME.pem and NAME.key.</summary>
    public void Sign(string name, string dns, bool expired = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(dns, out var ip)) names.AddIpAddress(ip);
        else names.AddDnsName(dns);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(_authority, Now.AddDays(-2), expired ? Now.AddDays(-1) : Now.AddDays(20), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(_folder, name + ".pem"), signed.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, name + ".key"), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => _authority.Dispose();
}
