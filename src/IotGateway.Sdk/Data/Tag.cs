namespace IotGateway.Sdk.Data;

/// <summary>
/// One measured or set quantity of a device. There is one object per device and name in a gateway (see
/// <see cref="ConnectorContext.Tag"/>), so comparing references is comparing tags. Immutable to connectors; thread-safe.
/// </summary>
public sealed class Tag
{
    internal Tag(string device, string name, DataType type, string? unit, int id, string topic, byte[] key)
        => (Device, Name, Type, Unit, Id, Topic, Key) = (device, name, type, unit, id, topic, key);

    /// <summary>The device.</summary>
    public string Device { get; }

    /// <summary>The name within the device.</summary>
    public string Name { get; }

    /// <summary>Type of its values.</summary>
    public DataType Type { get; }

    /// <summary>Unit of measure, if any.</summary>
    public string? Unit { get; }

    /// <summary>Dense number within this process; for arrays indexed by tag. Not durable.</summary>
    public int Id { get; }

    /// <summary>Kafka topic its readings go to.</summary>
    public string Topic { get; }

    /// <summary>Kafka key of its readings: <c>device/tag</c> in UTF-8.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>The runtime's own per-tag state.</summary>
    internal object? Slot { get; set; }

    /// <summary><c>device/tag</c>.</summary>
    public override string ToString() => Device + "/" + Name;
}
