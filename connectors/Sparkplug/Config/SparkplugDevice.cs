using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;
using DataType = IotGateway.Sdk.Data.DataType;

namespace IotGateway.Connectors.Sparkplug.Config;

/// <summary>A device, or an edge node, that takes commands.</summary>
public sealed record SparkplugDevice
{
    /// <summary>Its name.</summary>
    [Option("Name of the device in the gateway, as 'node' and 'device' make it.", Example = "press-shop.gateway1.press1"), RegularExpression("^[^/+#]+$")]
    public required string Name { get; init; }

    /// <summary>Whether it takes commands.</summary>
    [Option("Whether it takes commands at all.", Advanced = true)]
    public bool Enabled { get; init; } = true;

    /// <summary>What can be written.</summary>
    [Option("What can be written.")]
    public required IReadOnlyList<SparkplugTag> Tags { get; init; }
}

/// <summary>A metric that can be written.</summary>
public sealed record SparkplugTag
{
    /// <summary>Its name.</summary>
    [Option("Name of the metric.", Example = "Outputs/Setpoint"), RegularExpression("^.+$")]
    public required string Name { get; init; }

    /// <summary>Whether it can be written.</summary>
    [Option("Whether it can be written at all.", Advanced = true)]
    public bool Enabled { get; init; } = true;

    /// <summary>Its type.</summary>
    [Option("Type of a command's value. It is written in the type of the metric's birth, where that can hold it exactly.")]
    public DataType Type { get; init; } = DataType.Float64;

    /// <summary>Its unit.</summary>
    [Option("Unit of measure.", Example = "°C")]
    public string? Unit { get; init; }

    /// <summary>How it may be written.</summary>
    [Option("How it may be written.", Example = """{ "min": 0, "max": 120 }""")]
    public required WriteRule Write { get; init; }
}
