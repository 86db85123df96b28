using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IotGateway.Broker.Tests.Security;

/// <summary>A certificate authority in a folder of its own.</summary>
sealed class TestCa : IDisposable
{
    const string ServerUse = "1.3.6.1.5.5.7.3.1", ClientUse = "1.3.6.1.5.5.7.3.2";
    static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    readonly X509Certificate2 _ca;

    public TestCa()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Plant CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _ca = request.CreateSelfSigned(Now.AddYears(-2), Now.AddYears(2));
        File.WriteAllText(Authority, _ca.ExportCertificatePem());
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("ca").FullName;

    /// <summary>PEM file of the authority.</summary>
    public string Authority => Path.Combine(Folder, "ca.pem");

    /// <summary>TLS of a listener with a certificate of this authority.</summary>
    public ListenerTls Listener(ClientCertificates clients = ClientCertificates.None, TestCa? authority = null, TimeSpan? goodFor = null, params string[] rules)
    {
        var (certificate, key) = Issue("server", "CN=localhost", ServerUse, goodFor);
        return new()
        {
            Certificate = certificate, Key = key, ClientCertificates = clients, ClientAuthorities = clients == ClientCertificates.None ? null : (authority ?? this).Authority,
            PrincipalRules = rules.Length > 0 ? rules : ["DEFAULT"], Recheck = TimeSpan.FromMilliseconds(50),
        };
    }

    /// <summary>Replaces the server's certificate.</summary>
    public void RenewServer() => Issue("server", "CN=localhost", ServerUse, null);

    public (string Certificate, string Key) Client(string subject = "CN=press 1,OU=line,O=Plant", TimeSpan? goodFor = null) => Issue("client", subject, ClientUse, goodFor);

    /// <summary>A client that shows a certificate made for servers.</summary>
    public (string Certificate, string Key) Misused() => Issue("misused", "CN=press 1", ServerUse, null);

    /// <summary>One that nobody has signed.</summary>
    public (string Certificate, string Key) SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=press 1", key, HashAlgorithmName.SHA256).CreateSelfSigned(Now.AddDays(-1), Now.AddYears(1));
        return Write("self", certificate, key);
    }

    public void Dispose()
    {
        _ca.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    (string Certificate, string Key) Issue(string name, string subject, string use, TimeSpan? goodFor)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_ca, Now.AddYears(-1), Now + (goodFor ?? TimeSpan.FromDays(365)), RandomNumberGenerator.GetBytes(8));
        return Write(name, certificate, key);
    }

    (string Certificate, string Key) Write(string name, X509Certificate2 certificate, ECDsa key)
    {
        var files = (Path.Combine(Folder, name + ".pem"), Path.Combine(Folder, name + ".key"));
        File.WriteAllText(files.Item1, certificate.ExportCertificatePem());
        File.WriteAllText(files.Item2, key.ExportPkcs8PrivateKeyPem());
        return files;
    }
}
