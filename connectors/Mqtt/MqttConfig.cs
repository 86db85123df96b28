using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using IotGateway.Connectors.Mqtt.Commands;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Sdk.Config;
using DataType = IotGateway.Sdk.Data.DataType;

namespace IotGateway.Connectors.Mqtt;

/// <summary>A broker, what to subscribe to, and where messages go.</summary>
public sealed record MqttConfig : MqttConnection
{
    static readonly JsonSerializerOptions Deep = new() { IncludeFields = true }; // a tuple's items are fields

    /// <summary>What to subscribe to.</summary>
    [Option("Topic filters to subscribe to; empty only for a connector that only sends commands.")]
    public required IReadOnlyList<MqttSubscription> Subscriptions { get; init; }

    /// <summary>Session expiry.</summary>
    [Option("How long the broker keeps session and messages while the gateway is away (version 5.0; 3.1.1 brokers decide themselves). 0: no session, messages of an outage are lost."), Range(typeof(TimeSpan), "00:00:00", "24855.00:00:00")]
    public TimeSpan SessionExpiry { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Receive maximum.</summary>
    [Option("Most QoS 1 and 2 messages on their way to disk at once.", Advanced = true), Range(1, 65_535)]
    public int ReceiveMaximum { get; init; } = 2_000;

    /// <summary>Largest packet.</summary>
    [Option("Largest message accepted, with its topic and properties; a broker that sends a larger one is disconnected.", Advanced = true)]
    public ByteSize MaxPacketSize { get; init; } = new(16 << 20);

    /// <summary>Memory for messages.</summary>
    [Option("Most memory for messages received and not yet on disk; then reading stops, and QoS 0 messages are dropped and counted.", Advanced = true)]
    public ByteSize MaxInFlight { get; init; } = new(64 << 20);

    /// <summary>Kafka topic.</summary>
    [Option("Kafka topic of raw messages: text with ${topic}, ${topic[2]} (third level), ${topic[1..]}, ${clientId}, ${gateway}, ${connector}, ${payload.site} (a field of a JSON payload), ${user.NAME} (a user property); of readings also ${device} and ${tag}. Default: the connector's name.", Example = "plant.${topic[1]}")]
    public string? Topic { get; init; }

    /// <summary>Record key.</summary>
    [Option("Record key of raw messages; empty for none.", Example = "${topic}")]
    public string Key { get; init; } = "${topic}";

    /// <summary>Raw or readings.</summary>
    [Option("raw: payloads unchanged, one record each. json or value: payloads are JSON with the values that readings name, or one plain number or text; they become readings of tags, written as JSON or as the value alone.")]
    public MqttFormat Format { get; init; } = MqttFormat.Raw;

    /// <summary>Device template.</summary>
    [Option("Device of a reading; the same placeholders. Default: the connector's name.", Example = "${topic[1]}")]
    public string? Device { get; init; }

    /// <summary>Tag template.</summary>
    [Option("Tag of a reading; the same placeholders.", Example = "${topic[2..]}")]
    public string Tag { get; init; } = "${topic}";

    /// <summary>Type of readings.</summary>
    [Option("Type of a reading's value: a payload that is no such value goes to the dead letters.")]
    public DataType Type { get; init; } = DataType.Float64;

    /// <summary>Presence.</summary>
    [Option("A message that says whether this connector is connected; the broker publishes it when the connection is lost.", Advanced = true)]
    public MqttPresence? Presence { get; init; }

    /// <summary>Commands.</summary>
    [Option("How commands are published to the devices below, and how these answer.", Advanced = true)]
    public MqttCommands? Commands { get; init; }

    /// <summary>Devices.</summary>
    [Option("Devices that take commands.", Advanced = true)]
    public IReadOnlyList<MqttDevice> Devices { get; init; } = [];

    /// <summary>Whether a running connection can serve the other configuration: only subscriptions and mappings differ.</summary>
    internal bool HasSameConnection(MqttConfig other)
        => Endpoint.SequenceEqual(other.Endpoint) && Pins.SequenceEqual(other.Pins) && JsonSerializer.Serialize((Commands, Devices), Deep) == JsonSerializer.Serialize((other.Commands, other.Devices), Deep) && other == this with
        {
            Endpoint = other.Endpoint, Pins = other.Pins, Commands = other.Commands, Devices = other.Devices, Subscriptions = other.Subscriptions, Topic = other.Topic, Key = other.Key, Format = other.Format, Device = other.Device, Tag = other.Tag, Type = other.Type,
        };

    /// <summary>Which of several tasks this is the share of; 0 has what cannot be shared.</summary>
    internal int Task { get; init; }

    internal override (TimeSpan SessionExpiry, int ReceiveMaximum, int MaxPacketSize) Inbound => (SessionExpiry, ReceiveMaximum, (int)MaxPacketSize.Bytes);

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var problem in base.Validate(validationContext)) yield return problem;
        if (MaxPacketSize.Bytes is < 1_024 or > 268_435_455) yield return new("Between 1KiB and 255MiB.", [nameof(MaxPacketSize)]);
        if (MaxInFlight < MaxPacketSize) yield return new("Must be at least maxPacketSize.", [nameof(MaxInFlight)]);
        if (Subscriptions.Count == 0 && Commands is null) yield return new("There is nothing to subscribe to.", [nameof(Subscriptions)]);
        if (Commands is null && Devices.Count > 0) yield return new("Devices take commands: say in 'commands' how.", [nameof(Devices)]);
        if (Commands is not null && Devices.Count == 0) yield return new("Name the devices that take commands in 'devices'.", [nameof(Commands)]);
        if (!PlainValue.IsSupported(Type)) yield return new($"A plain payload cannot be a {Type}; use raw.", [nameof(Type)]);
        foreach (var repeated in Subscriptions.GroupBy(s => s.Filter).Where(g => g.Count() > 1))
            yield return new($"The filter '{repeated.Key}' is subscribed to twice.", [nameof(Subscriptions)]);
        foreach (var s in Subscriptions)
        {
            var raw = (s.Format ?? Format) == MqttFormat.Raw;
            if (raw && s.Readings.Count > 0) yield return new($"'{s.Filter}' has readings, but its format is raw; write \"format\": \"json\".", [nameof(Subscriptions)]);
            if (!raw && s.Headers.Count > 0) yield return new($"'{s.Filter}' has headers, which only raw messages can have; readings have those of the gateway.", [nameof(Subscriptions)]);
        }
        foreach (var (name, template) in new[] { (nameof(Topic), Format == MqttFormat.Raw ? Topic : null), (nameof(Key), Key), (nameof(Device), Device), (nameof(Tag), Tag) })
            if (template is not null && TopicTemplate.TryParse(template, Placeholders.Names, out var error) is null) yield return new(error, [name]);
    }
}

/// <summary>What becomes of a payload.</summary>
public enum MqttFormat
{
    /// <summary>A record with the payload unchanged.</summary>
    Raw,

    /// <summary>A reading, written as JSON.</summary>
    Json,

    /// <summary>A reading, written as its value alone.</summary>
    Value,
}
