namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>CONNECT (MQTT 3.1.1 §3.1, MQTT 5 §3.1).</summary>
sealed class ConnectPacket : MqttPacket
{
    public override PacketType Type => PacketType.Connect;

    public required MqttVersion Version { get; init; }

    /// <summary>MQTT 5 §3.1.2.4; clean session in 3.1.1, which also ends the session with the connection.</summary>
    public bool CleanStart { get; init; }

    /// <summary>Seconds; 0 = off (§3.1.2.10).</summary>
    public ushort KeepAlive { get; init; }

    public string ClientId { get; init; } = "";

    public string? Username { get; init; }

    public ReadOnlyMemory<byte>? Password { get; init; }

    public Will? Will { get; init; }
}

/// <summary>What the server publishes when the connection ends without DISCONNECT (§3.1.2.5).</summary>
sealed record Will(string Topic, ReadOnlyMemory<byte> Payload, byte Qos = 0, bool Retain = false)
{
    public MqttProperties Properties { get; init; }
}
