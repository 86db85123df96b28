using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>All that follows from an MQTT topic alone, worked out once: where its messages go and as what. Immutable but for the headers it fills in on first use.</summary>
sealed class MappedTopic
{
    static readonly ReadOnlyMemory<byte>[] QosTexts = ["0"u8.ToArray(), "1"u8.ToArray(), "2"u8.ToArray()];
    static readonly ReadOnlyMemory<byte> True = "true"u8.ToArray(), False = "false"u8.ToArray();

    readonly Header[]?[] _headers = new Header[12][];

    /// <summary>The topic in UTF-8.</summary>
    public required ReadOnlyMemory<byte> Name { get; init; }

    /// <summary>Kafka topic; for readings that of their dead letters.</summary>
    public required string KafkaTopic { get; init; }

    public ReadOnlyMemory<byte>? Key { get; init; }

    /// <summary>The tag its payloads are readings of; null for raw messages.</summary>
    public Tag? Tag { get; init; }

    /// <summary>Why its messages cannot be used; null normally.</summary>
    public string? Poison { get; init; }

    /// <summary>The headers every message has; shared between messages with the same flags.</summary>
    public Header[] Headers(int qos, bool retain, bool dup)
        => _headers[qos * 4 + (retain ? 2 : 0) + (dup ? 1 : 0)] ??=
        [
            new("mqtt.topic", Name), new("mqtt.qos", QosTexts[qos]), new("mqtt.retain", retain ? True : False), new("mqtt.dup", dup ? True : False),
        ];
}
