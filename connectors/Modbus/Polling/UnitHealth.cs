using IotGateway.Connectors.Modbus.Client;
using IotGateway.Sdk;
using IotGateway.Sdk.Health;

namespace IotGateway.Connectors.Modbus.Polling;

/// <summary>Tells the runtime how devices and refused tags are, on every change and not in between. Called by pollers' loops.</summary>
internal sealed class UnitHealth(ConnectorContext context)
{
    /// <summary>The unit answers.</summary>
    public void Up(UnitState unit)
    {
        if (unit.Reported == true) return;
        unit.Reported = true;
        foreach (var device in unit.Devices) context.Report(new(device.Name, null, PartState.Ok, null, null, null));
    }

    /// <summary>The unit does not answer, or can not be reached.</summary>
    public void Down(UnitState unit, string code, string reason, DateTimeOffset? nextTry)
    {
        if (unit.Reported == false) return;
        unit.Reported = false;
        foreach (var device in unit.Devices) context.Report(new(device.Name, null, PartState.Down, code, reason, nextTry));
    }

    /// <summary>The device refuses the tag.</summary>
    public void Quarantined(TagTrack track, ExchangeResult result, DateTimeOffset nextTry)
        => context.Report(new(track.Point.Device.Name, track.Point.Tag.Name, PartState.Quarantined, result.Code,
            $"{track.Point.Area.ToString().ToLowerInvariant()}:{track.Point.Span.Start} is refused: {result.Words}. Check the address, or switch the tag off (\"enabled\": false).", nextTry));

    /// <summary>The device takes the tag again.</summary>
    public void Released(TagTrack track) => context.Report(new(track.Point.Device.Name, track.Point.Tag.Name, PartState.Ok, null, null, null));
}
