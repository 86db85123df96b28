using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Modbus.Config;

/// <summary>Modbus TCP devices, how often to poll them, and their tags.</summary>
public sealed record ModbusConfig : IValidatableObject
{
    /// <summary>Default address of the devices.</summary>
    [Option("Where the devices are, unless a device says otherwise; a list names several ways to the same device, tried in turn. The port is 502 unless given.", Example = "tcp://127.0.0.1:502")]
    public Endpoints? Endpoint { get; init; }

    /// <summary>Meaning of numbers in addresses.</summary>
    [Option("Whether addresses such as holding:100 count from zero, as on the wire, or from one, as in many manuals; 40101 always counts from one.", Example = "zero")]
    public Addressing Addressing { get; init; } = Addressing.Zero;

    /// <summary>Default byte order.</summary>
    [Option("Byte order of values, A being the most significant byte: ABCD, CDAB (registers swapped), BADC (bytes swapped) or DCBA (both); for values of other lengths accordingly.", Example = "ABCD")]
    [RegularExpression(ByteOrder.Pattern, ErrorMessage = "Allowed are ABCD, CDAB, BADC and DCBA.")]
    public string Order { get; init; } = "ABCD";

    /// <summary>Default period.</summary>
    [Option("How often tags are read.", Example = "500ms"), Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Tags shared by devices of a kind.</summary>
    [Option("Tag lists shared by devices of the same kind, by name.", Example = """
        { "press": { "tags": [
          { "name": "temperature", "address": "holding:100", "type": "float32", "unit": "°C", "deadband": 0.1 },
          { "name": "setpoint", "address": "holding:200", "type": "uint16", "scale": 0.1, "write": { "min": 0, "max": 120, "maxStep": 20 } } ] } }
        """)]
    public IReadOnlyDictionary<string, TemplateConfig> Templates { get; init; } = new Dictionary<string, TemplateConfig>();

    /// <summary>The devices.</summary>
    [Option("The devices.", Example = """[ { "name": "press1", "unitId": 1, "template": "press" } ]""")]
    public required IReadOnlyList<DeviceConfig> Devices { get; init; }

    /// <summary>Time for an answer.</summary>
    [Option("How long to wait for an answer."), Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time for a connection.</summary>
    [Option("How long to wait for a connection.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Longest pause between connection attempts.</summary>
    [Option("Longest pause between attempts to reach an endpoint that is away.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan Reconnect { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Requests on their way at once.</summary>
    [Option("Most requests on their way at once on a connection; above 1 only for devices that can queue requests.", Advanced = true), Range(1, 16)]
    public int MaxInFlight { get; init; } = 1;

    /// <summary>Longest publishing pause under a deadband.</summary>
    [Option("A tag with a deadband is published at least this often, changed or not; 0 switches that off.", Advanced = true), Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")]
    public TimeSpan Refresh { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Missed answers until a unit counts as down.</summary>
    [Option("After how many missed answers in a row a unit counts as down: it is then only probed, so that it does not delay others.", Advanced = true), Range(1, 100)]
    public int DownAfter { get; init; } = 2;

    /// <summary>Longest pause between probes of a dead unit.</summary>
    [Option("Longest pause between probes of a dead unit while other units at the same endpoint answer; otherwise 2 seconds.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan Probe { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest pause between probes of a refused tag.</summary>
    [Option("Longest pause between probes of a tag whose address the device refuses.", Advanced = true), Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Quarantine { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Most registers of a request.</summary>
    [Option("Most registers in one request; less for devices that can not do the standard's 125.", Advanced = true), Range(4, 125)]
    public int MaxRegisters { get; init; } = 125;

    /// <summary>Most bits of a request.</summary>
    [Option("Most coils or discrete inputs in one request; less for devices that can not do the standard's 2000.", Advanced = true), Range(1, 2000)]
    public int MaxBits { get; init; } = 2000;

    /// <summary>Most unwanted registers between two wanted ones.</summary>
    [Option("Most registers nobody asked for that are read to join two tags into one request; for bits sixteen times as many.", Advanced = true), Range(0, 125)]
    public int MaxGap { get; init; } = 16;

    /// <summary>Cost of a request.</summary>
    [Option("What a request costs, in registers; the plan minimises requests × this + registers read.", Advanced = true), Range(0, 1000)]
    public int RequestCost { get; init; } = 40;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => ConfigRules.Check(this);
}
