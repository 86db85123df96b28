using IotGateway.Connectors.Modbus.Planning;
using IotGateway.Connectors.Modbus.Protocol;
using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus.Model;

/// <summary>One tag as built from the configuration. Immutable.</summary>
internal sealed class TagPoint
{
    /// <summary>The gateway's tag.</summary>
    public required Tag Tag { get; init; }

    /// <summary>Its device.</summary>
    public required DeviceModel Device { get; init; }

    /// <summary>Its area.</summary>
    public required Area Area { get; init; }

    /// <summary>Its registers or bits, zero-based as on the wire.</summary>
    public required Span Span { get; init; }

    /// <summary>Between registers and values.</summary>
    public required Conversion Conversion { get; init; }

    /// <summary>How often it is read.</summary>
    public required TimeSpan Every { get; init; }

    /// <summary>Change worth publishing; null: every poll is.</summary>
    public decimal? Deadband { get; init; }

    /// <summary>Whether the configuration has a write rule.</summary>
    public bool IsWritable { get; init; }

    /// <summary>Its value within the data of a reply whose first element is <paramref name="first"/>.</summary>
    public Value Decode(ReadOnlySpan<byte> data, int first)
    {
        var at = Span.Start - first;
        // AP §6.1: the first bit asked for is the lowest of the first byte.
        if (Area.IsBits()) return Value.Of((data[at / 8] >> at % 8 & 1) != 0);
        return Conversion.Decode(data.Slice(at * 2, Span.Length * 2));
    }
}
