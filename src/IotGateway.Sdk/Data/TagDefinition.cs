using IotGateway.Sdk.Config;

namespace IotGateway.Sdk.Data;

/// <summary>A tag as a configuration names it.</summary>
/// <param name="Device">Device name.</param>
/// <param name="Name">Tag name.</param>
/// <param name="Type">Type of its values, in engineering units.</param>
/// <param name="Unit">Unit of measure.</param>
/// <param name="Write">How it may be written; null: not at all.</param>
public sealed record TagDefinition(string Device, string Name, DataType Type, string? Unit, WriteRule? Write);
