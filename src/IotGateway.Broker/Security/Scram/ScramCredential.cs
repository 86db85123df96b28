using System.Buffers.Binary;
using System.Security.Cryptography;

namespace IotGateway.Broker.Security.Scram;

/// <summary>
/// What is kept of a password (RFC 5802 §3): it can be checked with this and not got from it. Immutable. As bytes in the table:
/// format 1, iterations (big endian, 4 bytes), length of the salt (1 byte), salt, stored key, server key.
/// </summary>
internal sealed class ScramCredential
{
    /// <summary>Iterations of the credentials made here, from a configured password or the command line.</summary>
    public const int OwnIterations = ScramMechanism.MostIterations;

    const byte Format = 1;
    const int SaltBytes = 24, Fixed = 6;

    ScramCredential(ScramMechanism mechanism, int iterations, byte[] salt, byte[] storedKey, byte[] serverKey)
        => (Mechanism, Iterations, Salt, StoredKey, ServerKey) = (mechanism, iterations, salt, storedKey, serverKey);

    public ScramMechanism Mechanism { get; }

    public int Iterations { get; }

    public byte[] Salt { get; }

    public byte[] StoredKey { get; }

    public byte[] ServerKey { get; }

    public static ScramCredential FromPassword(ScramMechanism mechanism, string password, int iterations = OwnIterations)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return FromSalted(mechanism, iterations, salt, mechanism.Salted(password, salt, iterations));
    }

    /// <summary>From the salted password, as administrative clients send it (KIP-554).</summary>
    public static ScramCredential FromSalted(ScramMechanism mechanism, int iterations, byte[] salt, ReadOnlySpan<byte> salted)
        => new(mechanism, iterations, salt, mechanism.Hash(mechanism.Hmac(salted, "Client Key"u8)), mechanism.Hmac(salted, "Server Key"u8));

    /// <summary>One that no password fits, the same for the same seed.</summary>
    public static ScramCredential Unusable(ScramMechanism mechanism, int iterations, ReadOnlySpan<byte> seed)
        => new(mechanism, iterations, mechanism.Hmac(seed, "salt"u8)[..SaltBytes], mechanism.Hmac(seed, "stored"u8), mechanism.Hmac(seed, "server"u8));

    /// <summary>Whether this is the password; takes as long for a wrong one.</summary>
    public bool Fits(string password)
    {
        var stored = Mechanism.Hash(Mechanism.Hmac(Mechanism.Salted(password, Salt, Iterations), "Client Key"u8));
        return CryptographicOperations.FixedTimeEquals(stored, StoredKey);
    }

    public byte[] Encode()
    {
        var bytes = new byte[Fixed + Salt.Length + (2 * Mechanism.Size)];
        bytes[0] = Format;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), Iterations);
        bytes[5] = checked((byte)Salt.Length);
        Salt.CopyTo(bytes, Fixed);
        StoredKey.CopyTo(bytes, Fixed + Salt.Length);
        ServerKey.CopyTo(bytes, Fixed + Salt.Length + Mechanism.Size);
        return bytes;
    }

    /// <exception cref="InvalidDataException">A later version wrote it.</exception>
    public static ScramCredential Decode(ScramMechanism mechanism, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Fixed || bytes[0] != Format || bytes.Length != Fixed + bytes[5] + (2 * mechanism.Size))
            throw new InvalidDataException("A SCRAM credential in the log is in a format this version does not know.");
        var keys = bytes[(Fixed + bytes[5])..];
        return new(mechanism, BinaryPrimitives.ReadInt32BigEndian(bytes[1..]), bytes.Slice(Fixed, bytes[5]).ToArray(),
            keys[..mechanism.Size].ToArray(), keys[mechanism.Size..].ToArray());
    }
}
