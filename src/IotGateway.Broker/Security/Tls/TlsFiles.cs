using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IotGateway.Broker.Security.Tls;

/// <summary>What is in a listener's certificate files at one moment. Immutable, thread-safe.</summary>
internal sealed class TlsFiles
{
    readonly byte[] _digest;

    TlsFiles(byte[] digest, SslStreamCertificateContext server, DateTimeOffset expires, X509Certificate2Collection clientAuthorities)
        => (_digest, Server, Expires, ClientAuthorities) = (digest, server, expires, clientAuthorities);

    /// <summary>The server's certificate with those between it and its authority.</summary>
    public SslStreamCertificateContext Server { get; }

    /// <summary>When the server's certificate ends.</summary>
    public DateTimeOffset Expires { get; }

    /// <summary>Who may have signed clients' certificates.</summary>
    public X509Certificate2Collection ClientAuthorities { get; }

    /// <summary>Whether the files' bytes were these.</summary>
    public bool IsOf(ReadOnlySpan<byte> digest) => digest.SequenceEqual(_digest);

    /// <summary>A digest over the bytes of all files.</summary>
    /// <exception cref="TlsFilesException">One cannot be read.</exception>
    public static byte[] Digest(string listener, ListenerTls options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in new[] { options.Certificate, options.Key, options.ClientAuthorities }.OfType<string>())
        {
            var bytes = Read(listener, file);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }
        return hash.GetHashAndReset();
    }

    /// <exception cref="TlsFilesException">They cannot be read or do not belong together.</exception>
    public static TlsFiles Load(string listener, ListenerTls options, byte[] digest)
    {
        try
        {
            var certificate = options.KeyPassword is { } password
                ? X509Certificate2.CreateFromEncryptedPemFile(options.Certificate, password, options.Key)
                : X509Certificate2.CreateFromPemFile(options.Certificate, options.Key);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(options.Certificate);
            var authorities = new X509Certificate2Collection();
            if (options.ClientAuthorities is { } file)
            {
                authorities.ImportFromPemFile(file);
                if (authorities.Count == 0) throw new TlsFilesException(listener, $"there is no certificate in '{file}'.");
            }
            var others = new X509Certificate2Collection(chain.Where(c => c.Thumbprint != certificate.Thumbprint).ToArray());
            return new(digest, SslStreamCertificateContext.Create(certificate, others, offline: true), certificate.NotAfter.ToUniversalTime(), authorities);
        }
        catch (Exception problem) when (problem is CryptographicException or ArgumentException)
        {
            throw new TlsFilesException(listener, $"the certificate '{options.Certificate}' and the key '{options.Key}' cannot be used: {problem.Message}", problem);
        }
        catch (Exception problem) when (problem is IOException and not TlsFilesException or UnauthorizedAccessException)
        {
            throw new TlsFilesException(listener, $"the certificate files cannot be read: {problem.Message}", problem);
        }
    }

    static byte[] Read(string listener, string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new TlsFilesException(listener, $"'{file}' cannot be read: {problem.Message}", problem);
        }
    }
}
