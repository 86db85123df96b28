using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Modbus.Config;

/// <summary>One device: a unit at an endpoint, with its tags.</summary>
public sealed record DeviceConfig
{
    /// <summary>Name.</summary>
    [Option("Name of the device, unique in the gateway.", Example = "press1"), RegularExpression("^[^/]+$", ErrorMessage = "A device name is not empty and has no '/'.")]
    public required string Name { get; init; }

    /// <summary>Unit.</summary>
    [Option("Unit id: the device's number behind a gateway; devices with their own network port mostly answer to 1 or 255.", Example = "1"), Range(0, 255)]
    public int UnitId { get; init; } = 1;

    /// <summary>Template.</summary>
    [Option("Template whose tags the device has.", Example = "press")]
    public string? Template { get; init; }

    /// <summary>Own endpoint.</summary>
    [Option("Where this device is, if not at the connector's endpoint.")]
    public Endpoints? Endpoint { get; init; }

    /// <summary>Added to the template's addresses.</summary>
    [Option("Added to every address of the device's tags, so that one template serves several blocks of registers.", Advanced = true), Range(-65535, 65535)]
    public int Offset { get; init; }

    /// <summary>Own byte order.</summary>
    [Option("Byte order of this device's values, if not the connector's.")]
    [RegularExpression(ByteOrder.Pattern, ErrorMessage = "Allowed are ABCD, CDAB, BADC and DCBA.")]
    public string? Order { get; init; }

    /// <summary>Own period.</summary>
    [Option("How often this device's tags are read, if not as the connector's."), Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan? Every { get; init; }

    /// <summary>Whether it is used.</summary>
    [Option("False switches the device off: no reading, no alarm, no gap.")]
    public bool Enabled { get; init; } = true;

    /// <summary>What unit 0 means.</summary>
    [Option("Unit 0 only: true means broadcast (all devices obey, none answers, nothing is read), false means the device itself answers to 0.", Advanced = true)]
    public bool? Broadcast { get; init; }

    /// <summary>Functions used for writing.</summary>
    [Option("Writes single coils and registers with functions 15 and 16, for devices that do not know 5 and 6.", Advanced = true)]
    public bool MultipleWrites { get; init; }

    /// <summary>Own tags.</summary>
    [Option("Tags of this device, besides the template's; a tag of the same name replaces the template's.")]
    public IReadOnlyList<TagConfig> Tags { get; init; } = [];
}
