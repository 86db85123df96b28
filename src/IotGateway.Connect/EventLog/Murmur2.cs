using System.Buffers.Binary;

namespace IotGateway.Connect.EventLog;

/// <summary>
/// The key hash of Kafka's Java clients (32 bit MurmurHash2, seed 0x9747b28c), so that a key goes to the partition any Java
/// producer would choose. Pure.
/// </summary>
public static class Murmur2
{
    const uint Seed = 0x9747b28c, M = 0x5bd1e995;
    const int R = 24;

    /// <summary>The hash of <paramref name="key"/>.</summary>
    public static int Hash(ReadOnlySpan<byte> key)
    {
        unchecked
        {
            var h = Seed ^ (uint)key.Length;
            while (key.Length >= 4)
            {
                var k = BinaryPrimitives.ReadUInt32LittleEndian(key) * M;
                k ^= k >> R;
                h = h * M ^ k * M;
                key = key[4..];
            }
            if (key.Length >= 3) h ^= (uint)key[2] << 16;
            if (key.Length >= 2) h ^= (uint)key[1] << 8;
            if (key.Length >= 1) h = (h ^ key[0]) * M;
            h ^= h >> 13;
            h *= M;
            h ^= h >> 15;
            return (int)h;
        }
    }

    /// <summary>The partition of <paramref name="key"/> among <paramref name="partitions"/>.</summary>
    public static int Partition(ReadOnlySpan<byte> key, int partitions) => (Hash(key) & 0x7fffffff) % partitions;
}
