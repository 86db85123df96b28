using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace IotGateway.Broker.Tests.Security;

/// <summary>A SCRAM client written from RFC 5802 alone, so that the broker's side is not checked against itself.</summary>
sealed class ScramClient(string user, string password, HashAlgorithmName hash, string nonce = "clientnonce", string header = "n,,")
{
    string _first = "";

    public string Header { get; set; } = header;

    public byte[] First() => Encoding.UTF8.GetBytes(Header + (_first = $"n={user},r={nonce}"));

    /// <param name="challenge">The server's first message.</param>
    /// <param name="binding">Channel-binding header to repeat; null: the right one.</param>
    /// <param name="answered">Nonce to repeat; null: the right one.</param>
    public byte[] Final(string challenge, string? binding = null, string? answered = null)
    {
        var parts = challenge.Split(',').Select(p => p[2..]).ToList();
        var size = hash == HashAlgorithmName.SHA256 ? 32 : 64;
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, Convert.FromBase64String(parts[1]), int.Parse(parts[2], CultureInfo.InvariantCulture), hash, size);
        var bare = $"c={Convert.ToBase64String(Encoding.UTF8.GetBytes(binding ?? Header))},r={answered ?? parts[0]}";
        var message = Encoding.UTF8.GetBytes($"{_first},{challenge},{bare}");
        var key = Hmac(salted, "Client Key"u8.ToArray());
        var signature = Hmac(CryptographicOperations.HashData(hash, key), message);
        return Encoding.UTF8.GetBytes($"{bare},p={Convert.ToBase64String(key.Zip(signature, (a, b) => (byte)(a ^ b)).ToArray())}");
    }

    byte[] Hmac(byte[] key, byte[] data) => CryptographicOperations.HmacData(hash, key, data);
}
