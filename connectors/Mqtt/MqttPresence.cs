using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Mqtt;

/// <summary>A message that says whether the connector is connected: published by it, and by the broker when the connection is lost (will, MQTT 5 §3.1.2.5).</summary>
public sealed record MqttPresence : IValidatableObject
{
    /// <summary>Topic.</summary>
    [Option("Topic it is published to: text with ${clientId}, ${gateway}, ${connector}.", Example = "gateways/${gateway}/state")]
    public required string Topic { get; init; }

    /// <summary>Payload while connected.</summary>
    [Option("What is published once connected.")]
    public string Online { get; init; } = "online";

    /// <summary>Payload otherwise.</summary>
    [Option("What is published on an orderly end, and by the broker when the connection is lost.")]
    public string Offline { get; init; } = "offline";

    /// <summary>Quality of service.</summary>
    [Option("Quality of service.", Advanced = true), Range(0, 2)]
    public int Qos { get; init; } = 1;

    /// <summary>Retain.</summary>
    [Option("Whether the broker keeps it for new subscribers.", Advanced = true)]
    public bool Retain { get; init; } = true;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (TopicTemplate.TryParse(Topic, Placeholders.Names, out var error, []) is null) yield return new(error, [nameof(Topic)]);
        else if (Topic.Contains("${topic", StringComparison.Ordinal)) yield return new("There is no message whose topic could stand here.", [nameof(Topic)]);
        else if (!TopicName.IsValid(System.Text.Encoding.UTF8.GetBytes(Topic))) yield return new("A topic to publish to must not be empty or hold a wildcard.", [nameof(Topic)]);
    }
}
