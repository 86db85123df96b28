namespace IotGateway.Connectors.Modbus.Model;

/// <summary>One enabled device as built from the configuration. Immutable once built.</summary>
/// <param name="Name">Name.</param>
/// <param name="Unit">Unit id.</param>
/// <param name="Broadcasts">Whether it stands for all units, none of which answers.</param>
/// <param name="MultipleWrites">Whether single coils and registers are written with functions 15 and 16.</param>
internal sealed record DeviceModel(string Name, byte Unit, bool Broadcasts, bool MultipleWrites)
{
    /// <summary>Its enabled tags.</summary>
    public IReadOnlyList<TagPoint> Points { get; set; } = [];
}
