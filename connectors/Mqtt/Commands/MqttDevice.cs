using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;
using DataType = IotGateway.Sdk.Data.DataType;

namespace IotGateway.Connectors.Mqtt.Commands;

/// <summary>A device that takes commands.</summary>
public sealed record MqttDevice
{
    /// <summary>Its name.</summary>
    [Option("Name of the device.", Example = "press1"), RegularExpression("^[^/+#]+$")]
    public required string Name { get; init; }

    /// <summary>Whether it takes commands.</summary>
    [Option("Whether it takes commands at all.", Advanced = true)]
    public bool Enabled { get; init; } = true;

    /// <summary>What can be written.</summary>
    [Option("What can be written.")]
    public required IReadOnlyList<MqttCommandTag> Tags { get; init; }
}

/// <summary>A tag that can be written.</summary>
public sealed record MqttCommandTag
{
    /// <summary>Its name.</summary>
    [Option("Name of the tag.", Example = "setpoint"), RegularExpression("^[^+#]+$")]
    public required string Name { get; init; }

    /// <summary>Whether it can be written.</summary>
    [Option("Whether it can be written at all.", Advanced = true)]
    public bool Enabled { get; init; } = true;

    /// <summary>Its type.</summary>
    [Option("Type of its values.")]
    public DataType Type { get; init; } = DataType.Float64;

    /// <summary>Its unit.</summary>
    [Option("Unit of measure.", Example = "°C")]
    public string? Unit { get; init; }

    /// <summary>How it may be written.</summary>
    [Option("How it may be written.", Example = """{ "min": 0, "max": 120 }""")]
    public required WriteRule Write { get; init; }
}
