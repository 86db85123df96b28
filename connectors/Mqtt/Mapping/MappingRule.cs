using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>The mapping of one subscription: templates and type. Immutable.</summary>
sealed class MappingRule
{
    readonly ConnectorContext _context;
    readonly TopicTemplate _topic, _key, _device, _tag;
    readonly bool _hasKey, _raw;
    readonly DataType _type;
    readonly string? _unit;

    public MappingRule(MqttConfig config, MqttSubscription? own, ConnectorContext context, string clientId)
    {
        var names = Placeholders.Of(clientId, context.Gateway, context.Name);
        TopicTemplate Read(string text) => TopicTemplate.TryParse(text, names, out var error) ?? throw new PermanentException(error!);
        _context = context;
        Filter = own is null ? "#" : TopicName.WithoutShare(own.Filter);
        _raw = (own?.Format ?? config.Format) == MqttFormat.Raw;
        // The topic of readings is the runtime's to expand, with ${device} and ${tag}; here it only names their dead letters' origin.
        _topic = Read(_raw ? own?.Topic ?? config.Topic ?? context.Name : context.Name);
        var key = own?.Key ?? config.Key;
        _key = Read(key);
        _hasKey = key.Length > 0;
        _device = Read(own?.Device ?? config.Device ?? context.Name);
        _tag = Read(own?.Tag ?? config.Tag);
        _type = own?.Type ?? config.Type;
        _unit = own?.Unit;
    }

    /// <summary>The filter names are matched against.</summary>
    public string Filter { get; }

    /// <summary>Applies the rule to a topic.</summary>
    public MappedTopic Map(ReadOnlySpan<byte> name)
    {
        var topic = Encoding.UTF8.GetString(name);
        var target = _topic.Expand(topic, out var missing);
        var key = _key.Expand(topic, out _);
        var poison = missing is null ? null : $"The topic '{topic}' has nothing at ${{{missing}}}, which the Kafka topic is made of.";
        var tag = _raw || poison is not null ? null : FindTag(topic, ref poison);
        var copy = name.ToArray();
        return new() { Name = copy, KafkaTopic = target, Key = !_hasKey ? null : key == topic ? copy : Encoding.UTF8.GetBytes(key), Tag = tag, Poison = poison };
    }

    Tag? FindTag(string topic, ref string? poison)
    {
        var device = _device.Expand(topic, out var noDevice);
        var tag = _tag.Expand(topic, out var noTag);
        if ((noDevice ?? noTag) is { } missing) poison = $"The topic '{topic}' has nothing at ${{{missing}}}, which the device or tag is made of.";
        else if (device.Length == 0 || tag.Length == 0) poison = $"The topic '{topic}' gives an empty device or tag name.";
        else if (device.Contains('/', StringComparison.Ordinal)) poison = $"The topic '{topic}' gives the device name '{device}', which must not hold '/'.";
        else if (_context.Tag(device, tag, _type, _unit) is { } found) return found;
        else poison = "There are more tags than limits.tags allows.";
        return null;
    }
}
