using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Sink;

/// <summary>Records to messages. Immutable.</summary>
sealed class RecordPublisher
{
    static readonly string[] Sources = ["path", "key", "header.*", "payload.*"];

    readonly MqttSinkConfig _config;
    readonly TopicTemplate _topic;
    readonly MqttVersion _version;

    public RecordPublisher(MqttSinkConfig config, ConnectorContext context, string clientId, MqttVersion version)
    {
        (_config, _version) = (config, version);
        _topic = Parse(config.Topic, Placeholders.Of(clientId, context.Gateway, context.Name), out var error) ?? throw new PermanentException(error!);
    }

    public static TopicTemplate? Parse(string text, IReadOnlyDictionary<string, string> names, out string? error) => TopicTemplate.TryParse(text, names, out error, Sources, separator: '.');

    /// <summary>The message of a record; null and why when the record can never become one.</summary>
    public PublishPacket? Make(SinkRecord record, out string? refusal)
    {
        refusal = null;
        using var json = _topic.NeedsJson && record.Value is { } value ? JsonValues.Parse(value, out refusal) : null;
        var topic = _topic.Expand(record.Topic, out var missing, new RecordView(record, json?.RootElement));
        if (missing is not null)
        {
            refusal = $"The record has nothing at ${{{missing}}}, which the MQTT topic is made of. {refusal}".TrimEnd();
            return null;
        }
        var bytes = Encoding.UTF8.GetBytes(topic);
        refusal = !TopicName.IsValid(bytes) ? $"'{topic}' is no MQTT topic: it is empty or holds '+' or '#'."
            : bytes.Length > ushort.MaxValue || topic.Contains('\0', StringComparison.Ordinal) ? "The MQTT topic is longer than 65535 bytes or holds U+0000." : null;
        if (refusal is not null) return null;
        return new() { Topic = bytes, Payload = record.Value ?? default, Qos = (byte)_config.Qos, Retain = _config.Retain, Properties = Properties(record) };
    }

    MqttProperties Properties(SinkRecord record)
    {
        if (_version != MqttVersion.V5 || _config.MessageExpiry == TimeSpan.Zero && !(_config.Headers && record.Headers.Count > 0)) return default;
        var properties = new PropertiesBuilder();
        if (_config.MessageExpiry > TimeSpan.Zero) properties.Number(PropertyId.MessageExpiry, (uint)Math.Ceiling(_config.MessageExpiry.TotalSeconds));
        if (_config.Headers)
            foreach (var header in record.Headers)
                if (IsText(header)) properties.User(header.Name, Encoding.UTF8.GetString(header.Value!.Value.Span));
        return properties.Build();
    }

    // What is no text of at most 65,535 bytes cannot be a user property (§1.5.4, §3.3.2.3.7) and is left out.
    static bool IsText(Header header)
        => header.Value is { Length: <= ushort.MaxValue } value && Utf8.IsValid(value.Span) && !value.Span.Contains((byte)0)
            && Encoding.UTF8.GetByteCount(header.Name) <= ushort.MaxValue && !header.Name.Contains('\0', StringComparison.Ordinal);
}
