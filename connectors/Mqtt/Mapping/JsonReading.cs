using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>One entry of <c>readings</c>, read once. Immutable.</summary>
sealed class JsonReading
{
    /// <param name="config">The entry.</param>
    /// <param name="type">The type where it names none.</param>
    /// <param name="device">The device where it names none.</param>
    /// <param name="read">Reads a template that may speak of the element.</param>
    public JsonReading(MqttReading config, DataType type, TopicTemplate device, Func<string, TopicTemplate> read)
    {
        Path = JsonPath.TryParse(config.Path, out var error) ?? throw new PermanentException(error!);
        Device = config.Device is null ? device : read(config.Device);
        (Tag, Type, Unit) = (read(config.Tag), config.Type ?? type, config.Unit);
    }

    public JsonPath Path { get; }
    public TopicTemplate Device { get; }
    public TopicTemplate Tag { get; }
    public DataType Type { get; }
    public string? Unit { get; }
}
