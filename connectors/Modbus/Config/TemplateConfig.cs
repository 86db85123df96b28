using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Modbus.Config;

/// <summary>Tags shared by devices of a kind.</summary>
public sealed record TemplateConfig
{
    /// <summary>The tags.</summary>
    [Option("The tags every device of this template has.")]
    public required IReadOnlyList<TagConfig> Tags { get; init; }
}
