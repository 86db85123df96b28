using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>How one connection is made.</summary>
sealed record MqttClientOptions
{
    public MqttVersion Version { get; init; } = MqttVersion.V5;

    public required string ClientId { get; init; }

    public string? Username { get; init; }

    public string? Password { get; init; }

    /// <summary>Prove the password by SCRAM-SHA-256 instead of sending it (§4.12).</summary>
    public bool Scram { get; init; }

    /// <summary>Public keys of which the broker's chain must hold one; empty: any.</summary>
    public IReadOnlyList<string> Pins { get; init; } = [];

    public TlsConfig? Tls { get; init; }

    /// <summary>Forget what the broker kept (MQTT 5 §3.1.2.4; clean session in 3.1.1).</summary>
    public bool CleanStart { get; init; }

    /// <summary>How long the broker keeps the session (§3.1.2.11.2); zero ends it with the connection. Only version 5 sends it.</summary>
    public TimeSpan SessionExpiry { get; init; }

    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Most QoS 1 and 2 messages the broker may send ahead of acknowledgements (§3.1.2.11.3).</summary>
    public int ReceiveMaximum { get; init; } = 1_000;

    public int MaxPacketSize { get; init; } = 16 << 20;

    /// <summary>Most topic aliases the broker may use (§3.1.2.11.5).</summary>
    public int TopicAliasMaximum { get; init; } = 64;

    /// <summary>For every step the broker has to answer: connecting, SUBACK.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    public Will? Will { get; init; }

    /// <summary>By way of which the broker is reached; null: directly.</summary>
    public MqttProxy? Proxy { get; init; }

    /// <summary>How often to prove the password again on a running connection (§4.12.1); zero: never. Needs <see cref="Scram"/>.</summary>
    public TimeSpan Reauthenticate { get; init; }
}
