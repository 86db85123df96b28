using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace IotGateway.Broker.Security.OAuth;

/// <summary>
/// One public key of a JSON Web Key Set (RFC 7517) and what it may verify (RFC 7518 §3): RS, PS and ES algorithms only. Shared secrets are
/// never taken, nor is an algorithm that is not the key's own. Thread-safe.
/// </summary>
internal sealed class SigningKey
{
    const int LeastRsaBits = 2048; // RFC 7518 §3.3
    readonly RSA? _rsa;
    readonly ECDsa? _ec;
    readonly Lock _lock = new(); // the key objects are not thread-safe

    SigningKey(string? id, string? algorithm, RSA? rsa, ECDsa? ec) => (Id, Algorithm, _rsa, _ec) = (id, algorithm, rsa, ec);

    /// <summary>Its <c>kid</c>, or null.</summary>
    public string? Id { get; }

    /// <summary>The only algorithm it is for, or null.</summary>
    public string? Algorithm { get; }

    /// <summary>Null where the key is of no use here: for encryption, of another kind, or too short.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static SigningKey? Read(JsonElement key)
    {
        if (JsonText.Get(key, "use") is { } use && use != "sig") return null;
        try
        {
            switch (JsonText.Get(key, "kty"))
            {
                case "RSA":
                    var rsa = RSA.Create(new RSAParameters { Modulus = Bytes(key, "n"), Exponent = Bytes(key, "e") });
                    return rsa.KeySize >= LeastRsaBits ? new(JsonText.Get(key, "kid"), JsonText.Get(key, "alg"), rsa, null) : null;
                case "EC" when Curve(JsonText.Get(key, "crv")) is { } curve:
                    return new(JsonText.Get(key, "kid"), JsonText.Get(key, "alg"), null, ECDsa.Create(new ECParameters { Curve = curve, Q = new() { X = Bytes(key, "x"), Y = Bytes(key, "y") } }));
                default:
                    return null;
            }
        }
        catch (CryptographicException e)
        {
            throw new FormatException($"A key is malformed: {e.Message}");
        }
    }

    /// <summary>Whether the signature is this key's under the algorithm; false also when the algorithm is not one for this key.</summary>
    public bool Verify(string algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (Algorithm is not null && Algorithm != algorithm) return false;
        lock (_lock)
        {
            return algorithm switch
            {
                "RS256" => _rsa?.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                "RS384" => _rsa?.VerifyData(data, signature, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1),
                "RS512" => _rsa?.VerifyData(data, signature, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1),
                "PS256" => _rsa?.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
                "PS384" => _rsa?.VerifyData(data, signature, HashAlgorithmName.SHA384, RSASignaturePadding.Pss),
                "PS512" => _rsa?.VerifyData(data, signature, HashAlgorithmName.SHA512, RSASignaturePadding.Pss),
                "ES256" when _ec?.KeySize == 256 => _ec.VerifyData(data, signature, HashAlgorithmName.SHA256),
                "ES384" when _ec?.KeySize == 384 => _ec.VerifyData(data, signature, HashAlgorithmName.SHA384),
                "ES512" when _ec?.KeySize == 521 => _ec.VerifyData(data, signature, HashAlgorithmName.SHA512),
                _ => false,
            } ?? false;
        }
    }

    static ECCurve? Curve(string? name) => name switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        "P-521" => ECCurve.NamedCurves.nistP521,
        _ => null,
    };

    // The framework answers an empty number with an IndexOutOfRangeException.
    static byte[] Bytes(JsonElement key, string name)
        => JsonText.Get(key, name) is { } text && Base64Url.DecodeFromChars(text) is { Length: > 0 } bytes ? bytes : throw new FormatException($"A key has no '{name}'.");
}
