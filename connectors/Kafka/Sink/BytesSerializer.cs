using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace IotGateway.Connectors.Kafka.Sink;

/// <summary>Hands bytes to the client library, which takes whole arrays: what is one already is not copied. Thread-safe.</summary>
sealed class BytesSerializer : ISerializer<ReadOnlyMemory<byte>?>
{
    public static readonly BytesSerializer Instance = new();

    public byte[] Serialize(ReadOnlyMemory<byte>? data, SerializationContext context)
    {
        if (data is not { } bytes) return null!;      // a null key or tombstone, which the library's signature does not admit
        return MemoryMarshal.TryGetArray(bytes, out var whole) && whole.Offset == 0 && whole.Count == whole.Array!.Length ? whole.Array : bytes.ToArray();
    }
}
