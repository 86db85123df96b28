using System.Security.Cryptography;
using System.Text;

namespace IotGateway.Broker.Security.Scram;

/// <summary>The functions of RFC 5802 §3 over one hash. Immutable; there are two of them.</summary>
internal sealed class ScramMechanism
{
    /// <summary>Kafka's bounds for the iterations of a credential (KIP-84, KIP-554).</summary>
    public const int LeastIterations = 4096, MostIterations = 16384;

    readonly HashAlgorithmName _hash;

    ScramMechanism(sbyte type, string name, HashAlgorithmName hash, int size) => (Type, Name, _hash, Size) = (type, name, hash, size);

    public static ScramMechanism Sha256 { get; } = new(1, "SCRAM-SHA-256", HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);

    public static ScramMechanism Sha512 { get; } = new(2, "SCRAM-SHA-512", HashAlgorithmName.SHA512, SHA512.HashSizeInBytes);

    public static IReadOnlyList<ScramMechanism> All { get; } = [Sha256, Sha512];

    /// <summary>Kafka's number for it (KIP-554).</summary>
    public sbyte Type { get; }

    /// <summary>Its IANA name.</summary>
    public string Name { get; }

    /// <summary>Bytes of a hash.</summary>
    public int Size { get; }

    public static ScramMechanism? Find(sbyte type) => All.FirstOrDefault(m => m.Type == type);

    public static ScramMechanism? Find(string name) => All.FirstOrDefault(m => m.Name == name);

    /// <summary><c>Hi</c>; the password as UTF-8 without SASLprep, as Kafka's clients have it.</summary>
    public byte[] Salted(string password, byte[] salt, int iterations) => Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, _hash, Size);

    public byte[] Hash(ReadOnlySpan<byte> data) => CryptographicOperations.HashData(_hash, data);

    public byte[] Hmac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data) => CryptographicOperations.HmacData(_hash, key, data);
}
