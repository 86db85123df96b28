using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Acceptance.Tests.HostileBrokers;

/// <summary>An authority made for one test.</summary>
sealed class Authority : IDisposable
{
    readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    readonly X509Certificate2 _certificate;

    public Authority(string folder, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _certificate = request.CreateSelfSigned(_now.AddDays(-30), _now.AddDays(30));
        File = Path.Combine(folder, name + ".pem");
        System.IO.File.WriteAllText(File, _certificate.ExportCertificatePem());
    }

    /// <summary>As PEM.</summary>
    public string File { get; }

    /// <summary>A server's certificate with its key.</summary>
    public X509Certificate2 Sign(string host, bool expired = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var ip)) names.AddIpAddress(ip);
        else names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(_certificate, _now.AddDays(-20), _now.AddDays(expired ? -1 : 20), RandomNumberGenerator.GetBytes(8));
        using var whole = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    public void Dispose() => _certificate.Dispose();
}
