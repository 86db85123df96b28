using System.Security.Cryptography;
using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Session;

/// <summary>128 bits of SHA-256 over what makes a message the same message. Cryptographic, because a publisher must not be able to
/// make one message pass for another. Held by one thread.</summary>
sealed class MessageHash : IDisposable
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = 16;

    readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Hashes topic, payload and those properties a broker sends again unchanged: not the expiry, which counts down
    /// (MQTT 5 §3.3.2.3.3), nor alias and subscription identifiers, which belong to a connection and a subscription.</summary>
    public UInt128 Of(PublishPacket packet)
    {
        Span<byte> length = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(length, packet.Topic.Length);
        _hash.AppendData(length);
        _hash.AppendData(packet.Topic.Span);
        if (!packet.Properties.IsEmpty) Properties(packet.Properties);
        _hash.AppendData(packet.Payload.Span);
        Span<byte> full = stackalloc byte[SHA256.HashSizeInBytes];
        _hash.GetHashAndReset(full);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(full);
    }

    void Properties(MqttProperties properties)
    {
        Span<byte> frame = stackalloc byte[13];
        foreach (var p in properties)
        {
            if (p.Id is PropertyId.MessageExpiry or PropertyId.TopicAlias or PropertyId.SubscriptionId) continue;
            frame[0] = (byte)p.Id;
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(frame[1..], p.Number);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame[5..], p.Name.Length);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame[9..], p.Data.Length);
            _hash.AppendData(frame);
            _hash.AppendData(p.Name.Span);
            _hash.AppendData(p.Data.Span);
        }
    }

    public void Dispose() => _hash.Dispose();
}
