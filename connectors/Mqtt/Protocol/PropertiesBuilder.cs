namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>Writes properties for a packet to be sent. Whoever builds knows the rules; the peer's decoder is the judge.</summary>
sealed class PropertiesBuilder
{
    readonly WireWriter _writer = new(64);

    public PropertiesBuilder Number(PropertyId id, uint value)
    {
        _writer.Byte((byte)id);
        switch (PropertyRules.Kind((uint)id))
        {
            case PropertyKind.Byte: _writer.Byte(checked((byte)value)); break;
            case PropertyKind.UInt16: _writer.UInt16(checked((int)value)); break;
            case PropertyKind.UInt32: _writer.UInt32(value); break;
            case PropertyKind.VarInt: _writer.VarInt(checked((int)value)); break;
            default: throw new ArgumentException($"{id} is no number.", nameof(id));
        }
        return this;
    }

    public PropertiesBuilder Text(PropertyId id, string value)
    {
        _writer.Byte((byte)id);
        _writer.Text(value);
        return this;
    }

    public PropertiesBuilder Data(PropertyId id, ReadOnlySpan<byte> value)
    {
        _writer.Byte((byte)id);
        _writer.Binary(value);
        return this;
    }

    public PropertiesBuilder User(string name, string value)
    {
        _writer.Byte((byte)PropertyId.UserProperty);
        _writer.Text(name);
        _writer.Text(value);
        return this;
    }

    /// <summary>The result; the builder is used up.</summary>
    public MqttProperties Build() => MqttProperties.Trusted(_writer.Written);
}
