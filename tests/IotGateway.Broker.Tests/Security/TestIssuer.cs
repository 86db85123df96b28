using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace IotGateway.Broker.Tests.Security;

/// <summary>An identity provider with an RSA and an EC key, and the file of their public halves.</summary>
sealed class TestIssuer : IDisposable
{
    static readonly ThreadLocal<RSA[]> Pairs = new(() => [RSA.Create(2048), RSA.Create(2048)]); // dear to make
    readonly RSA _rsa;
    readonly ECDsa _ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly string _folder = Directory.CreateTempSubdirectory("issuer").FullName;

    public TestIssuer(bool other = false)
    {
        _rsa = RSA.Create(Pairs.Value![other ? 1 : 0].ExportParameters(true));
        File.WriteAllText(Jwks, Keys());
    }

    public string Jwks => Path.Combine(_folder, "keys.json");

    public OAuthOptions Options => new() { Jwks = Jwks, Issuer = "https://id.plant.local", Audiences = ["kafka", "gateway"] };

    /// <summary>The set of keys, under ids with that prefix.</summary>
    public string Keys(string prefix = "")
    {
        var (rsa, ec) = (_rsa.ExportParameters(false), _ec.ExportParameters(false));
        return JsonSerializer.Serialize(new
        {
            keys = new object[]
            {
                new { kty = "RSA", kid = prefix + "rsa", use = "sig", n = Base64Url.EncodeToString(rsa.Modulus), e = Base64Url.EncodeToString(rsa.Exponent) },
                new { kty = "EC", kid = prefix + "ec", crv = "P-256", x = Base64Url.EncodeToString(ec.Q.X), y = Base64Url.EncodeToString(ec.Q.Y) },
                new { kty = "oct", kid = prefix + "shared", k = "c2VjcmV0" },
            },
        });
    }

    public Dictionary<string, object> Claims(string user = "mes") => new()
    {
        ["iss"] = "https://id.plant.local", ["aud"] = "kafka", ["sub"] = user,
        ["iat"] = Now - 1, ["exp"] = Now + 600,
    };

    public static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    public string Token(Dictionary<string, object> claims, string algorithm = "RS256", string? kid = "rsa", Action<Dictionary<string, object>>? header = null)
    {
        var head = new Dictionary<string, object> { ["alg"] = algorithm, ["typ"] = "JWT" };
        if (kid is not null) head["kid"] = kid;
        header?.Invoke(head);
        var signed = $"{Part(JsonSerializer.SerializeToUtf8Bytes(head))}.{Part(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        var data = Encoding.ASCII.GetBytes(signed);
        var signature = algorithm switch
        {
            "RS256" => _rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            "RS512" => _rsa.SignData(data, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1),
            "PS384" => _rsa.SignData(data, HashAlgorithmName.SHA384, RSASignaturePadding.Pss),
            "ES256" => _ec.SignData(data, HashAlgorithmName.SHA256),
            // The confusion of a public key with a shared secret (RFC 8725 §2.1).
            "HS256" => HMACSHA256.HashData(_rsa.ExportSubjectPublicKeyInfo(), data),
            _ => [],
        };
        return $"{signed}.{Part(signature)}";
    }

    public void Dispose()
    {
        _rsa.Dispose();
        _ec.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    static string Part(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
