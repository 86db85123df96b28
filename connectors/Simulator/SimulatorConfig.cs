using System.ComponentModel.DataAnnotations;
using System.Net;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Simulator;

/// <summary>A line of presses to try things on, without a machine.</summary>
public sealed record SimulatorConfig : IValidatableObject
{
    /// <summary>Where it serves Modbus TCP.</summary>
    [Option("Address and port it serves Modbus TCP on; port 0 takes any free one. It has no access control, so keep it on this machine.", Example = "127.0.0.1:15020")]
    public string Listen { get; init; } = "127.0.0.1:15020";

    /// <summary>The machine's log.</summary>
    [Option("File the presses write their log lines to, as machines do; a relative path counts from the gateway's working directory. Default: no log.", Example = "press-line.log")]
    public string? LogFile { get; init; }

    /// <summary>Size at which the log is rotated.</summary>
    [Option("Size at which the log file is renamed to end in .1 and begun anew.", Advanced = true)]
    public ByteSize RotateAt { get; init; } = new(16 << 20);

    /// <summary>Number of presses.</summary>
    [Option("How many presses there are; press n answers to unit id n.", Example = "2"), Range(1, 247)]
    public int Presses { get; init; } = 2;

    /// <summary>Seed.</summary>
    [Option("The same number makes the same day: noise, alarms and all.", Advanced = true)]
    public int Seed { get; init; } = 1;

    /// <summary>Name of the simulator's own device.</summary>
    [Option("Device name of the simulator's own readings.", Advanced = true), RegularExpression("^[^/]+$", ErrorMessage = "A device name is not empty and has no '/'.")]
    public string Device { get; init; } = "simulator";

    /// <summary>Period of its own readings.</summary>
    [Option("How often the simulator publishes how many requests it has served.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!IPEndPoint.TryParse(Listen, out _)) yield return new($"'{Listen}' is no address and port; write 127.0.0.1:15020.", [nameof(Listen)]);
        if (RotateAt.Bytes < 4096) yield return new("Must be at least 4KiB.", [nameof(RotateAt)]);
    }
}
