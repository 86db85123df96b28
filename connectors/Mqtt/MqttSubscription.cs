using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk.Config;
using DataType = IotGateway.Sdk.Data.DataType;

namespace IotGateway.Connectors.Mqtt;

/// <summary>One topic filter, with mappings of its own where they differ from the connector's.</summary>
public sealed record MqttSubscription : IValidatableObject
{
    /// <summary>Topic filter.</summary>
    [Option("Topic filter with + and #, or a shared subscription $share/GROUP/FILTER.", Example = "plant/+/telemetry/#")]
    public required string Filter { get; init; }

    /// <summary>QoS.</summary>
    [Option("Highest quality of service: 0 may lose, 1 and 2 do not.", Example = "1"), Range(0, 2)]
    public int Qos { get; init; } = 1;

    /// <summary>No local.</summary>
    [Option("Leave out messages this same client published (5.0).", Advanced = true)]
    public bool NoLocal { get; init; }

    /// <summary>Retain as published.</summary>
    [Option("Keep the retain flag as the publisher set it, instead of marking only messages kept from before the subscription (5.0).", Advanced = true)]
    public bool RetainAsPublished { get; init; }

    /// <summary>Retained messages.</summary>
    [Option("Whether the broker sends the messages it retains: always when subscribing, only when the subscription is new, or never (5.0).", Advanced = true)]
    public RetainedMessages Retained { get; init; } = RetainedMessages.WhenNew;

    /// <summary>Kafka topic.</summary>
    [Option("Kafka topic of raw messages under this filter, instead of the connector's.", Advanced = true)]
    public string? Topic { get; init; }

    /// <summary>Record key.</summary>
    [Option("Record key of raw messages under this filter, instead of the connector's.", Advanced = true)]
    public string? Key { get; init; }

    /// <summary>Raw or readings.</summary>
    [Option("What becomes of payloads under this filter, instead of the connector's format.", Advanced = true)]
    public MqttFormat? Format { get; init; }

    /// <summary>Device template.</summary>
    [Option("Device of readings under this filter, instead of the connector's.", Advanced = true)]
    public string? Device { get; init; }

    /// <summary>Tag template.</summary>
    [Option("Tag of readings under this filter, instead of the connector's.", Advanced = true)]
    public string? Tag { get; init; }

    /// <summary>Type of readings.</summary>
    [Option("Type of readings under this filter, instead of the connector's.", Advanced = true)]
    public DataType? Type { get; init; }

    /// <summary>Unit of readings.</summary>
    [Option("Unit of measure of readings under this filter.", Example = "°C", Advanced = true)]
    public string? Unit { get; init; }

    /// <summary>Values in a JSON payload.</summary>
    [Option("Values in a JSON payload, each a reading; format json or value. Empty: the payload is one plain number or text.", Advanced = true)]
    public IReadOnlyList<MqttReading> Readings { get; init; } = [];

    /// <summary>Time in a JSON payload.</summary>
    [Option("The payload's own time of its readings. A payload without it gets the gateway's time.", Advanced = true)]
    public MqttTimestamp? Timestamp { get; init; }

    /// <summary>Further headers.</summary>
    [Option("Further headers of raw messages, by name: text with the same placeholders as topic. One for which a message has nothing is left out.", Advanced = true)]
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (TopicName.FilterError(Filter) is { } wrong) yield return new($"The filter '{Filter}' {wrong}.", [nameof(Filter)]);
        if (NoLocal && Filter.StartsWith("$share/", StringComparison.Ordinal)) yield return new("A shared subscription cannot leave out own messages (MQTT 5 §3.8.3.1).", [nameof(NoLocal)]);
        if (Type is { } type && !PlainValue.IsSupported(type)) yield return new($"A plain payload cannot be a {type}; use raw.", [nameof(Type)]);
        if (Timestamp is not null && Readings.Count == 0) yield return new("A time is read from JSON payloads only: name their values in 'readings'.", [nameof(Timestamp)]);
        foreach (var header in Headers)
            if (header.Key.Length == 0 || header.Key.StartsWith("mqtt.", StringComparison.Ordinal)) yield return new($"A header cannot be named '{header.Key}'; names with 'mqtt.' are the connector's own.", [nameof(Headers)]);
            else if (TopicTemplate.TryParse(header.Value, Placeholders.Names, out var bad) is null) yield return new(bad, [nameof(Headers)]);
        foreach (var (name, template) in new[] { (nameof(Topic), Topic), (nameof(Key), Key), (nameof(Device), Device), (nameof(Tag), Tag) })
            if (template is not null && TopicTemplate.TryParse(template, Placeholders.Names, out var error) is null) yield return new(error, [name]);
    }
}

/// <summary>Whether the broker sends what it retains (MQTT 5 §3.8.3.1, retain handling).</summary>
public enum RetainedMessages
{
    /// <summary>Whenever the gateway subscribes, so also after each reconnection.</summary>
    Always,

    /// <summary>Only when the subscription did not exist.</summary>
    WhenNew,

    /// <summary>Never.</summary>
    Never,
}
