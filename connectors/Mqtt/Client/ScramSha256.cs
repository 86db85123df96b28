using System.Globalization;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// The client's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677) without channel binding: the password never leaves, and the server
/// must prove that it knows it too. One use, one thread. Whatever the server does wrong is an <see cref="AuthenticationException"/>.
/// </summary>
sealed class ScramSha256
{
    /// <summary>Name of the method in MQTT's properties (IANA SASL mechanisms).</summary>
    public const string Method = "SCRAM-SHA-256";

    const int LeastIterations = 4_096; // RFC 7677 §4
    const int MostIterations = 1_000_000; // what a hostile server may make us compute: about half a second
    const string Header = "n,,", Binding = "biws"; // gs2-header without channel binding, and its base64 (RFC 5802 §7)

    readonly string _password, _nonce, _firstBare;
    byte[]? _serverSignature;

    public ScramSha256(string username, string password) : this(username, password, Convert.ToBase64String(RandomNumberGenerator.GetBytes(18))) { }

    internal ScramSha256(string username, string password, string nonce)
    {
        // RFC 5802 §5.1: SASLprep, of which this is the part that matters to names that exist; ',' and '=' are escaped.
        var name = username.Normalize(NormalizationForm.FormKC).Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);
        (_password, _nonce, _firstBare) = (password.Normalize(NormalizationForm.FormKC), nonce, $"n={name},r={nonce}");
    }

    /// <summary>client-first-message.</summary>
    public byte[] First() => Encoding.UTF8.GetBytes(Header + _firstBare);

    /// <summary>client-final-message, from server-first-message.</summary>
    public byte[] Final(ReadOnlySpan<byte> serverFirst)
    {
        var text = Encoding.UTF8.GetString(serverFirst);
        var parts = text.Split(',');
        if (_serverSignature is not null || parts.Length < 3 || Value(parts[0], "r=") is not { } nonce || Value(parts[1], "s=") is not { } salt || Value(parts[2], "i=") is not { } count)
            throw new AuthenticationException("The broker's challenge is no SCRAM-SHA-256.");
        if (!nonce.StartsWith(_nonce, StringComparison.Ordinal) || nonce.Length == _nonce.Length) throw new AuthenticationException("The broker's challenge is not for this connection.");
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is < LeastIterations or > MostIterations)
            throw new AuthenticationException($"The broker asks for {count} iterations; from {LeastIterations} to {MostIterations} are accepted.");
        var salted = Rfc2898DeriveBytes.Pbkdf2(_password, FromBase64(salt), iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var withoutProof = $"c={Binding},r={nonce}";
        var message = Encoding.UTF8.GetBytes($"{_firstBare},{text},{withoutProof}");
        var proof = HMACSHA256.HashData(salted, "Client Key"u8);
        var signature = HMACSHA256.HashData(SHA256.HashData(proof), message);
        for (var i = 0; i < proof.Length; i++) proof[i] ^= signature[i];
        _serverSignature = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), message);
        return Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}");
    }

    /// <summary>Checks server-final-message: without its proof the broker may be anybody.</summary>
    public void Verify(ReadOnlySpan<byte> serverFinal)
    {
        var given = Value(Encoding.UTF8.GetString(serverFinal).Split(',')[0], "v=");
        if (_serverSignature is null || given is null || !CryptographicOperations.FixedTimeEquals(FromBase64(given), _serverSignature))
            throw new AuthenticationException("The broker did not prove that it knows the password; it may not be the one it claims to be.");
    }

    static string? Value(string part, string name) => part.StartsWith(name, StringComparison.Ordinal) ? part[name.Length..] : null;

    static byte[] FromBase64(string text)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException e)
        {
            throw new AuthenticationException("The broker's challenge is no SCRAM-SHA-256.", e);
        }
    }
}
