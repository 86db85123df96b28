using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Mqtt.Sink;

/// <summary>A broker, and how records are published there.</summary>
public sealed record MqttSinkConfig : MqttConnection
{
    /// <summary>MQTT topic.</summary>
    [Option("MQTT topic to publish to: text with ${topic} (the local topic), ${topic[1]} (its second level, between dots), ${path} (the local topic with slashes for dots), ${key}, ${header.NAME}, ${payload.site} (a field of a JSON value), ${clientId}, ${gateway}, ${connector}.", Example = "${gateway}/${path}/${key}")]
    public string Topic { get; init; } = "${path}";

    /// <summary>QoS.</summary>
    [Option("Quality of service. 1 and 2: delivered once the broker acknowledged. 0: once sent, may be lost."), Range(0, 2)]
    public int Qos { get; init; } = 1;

    /// <summary>Retain.</summary>
    [Option("Whether the broker keeps the last message of each topic for new subscribers. A record without a value clears it.")]
    public bool Retain { get; init; }

    /// <summary>Headers.</summary>
    [Option("Whether the record's headers are sent as user properties (5.0).", Advanced = true)]
    public bool Headers { get; init; }

    /// <summary>Expiry.</summary>
    [Option("How long the broker keeps a message for a subscriber that is away (5.0); 0 for as long as it likes.", Advanced = true), Range(typeof(TimeSpan), "00:00:00", "24855.00:00:00")]
    public TimeSpan MessageExpiry { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var problem in base.Validate(validationContext)) yield return problem;
        if (RecordPublisher.Parse(Topic, Placeholders.Names, out var error) is null) yield return new(error, [nameof(Topic)]);
        if (Topic.AsSpan().IndexOfAny('+', '#') >= 0) yield return new("A topic to publish to holds no '+' or '#'.", [nameof(Topic)]);
    }
}
