using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Configs;

/// <summary>A configuration with every kind of option, as plugins declare them.</summary>
public sealed record BenchConfig : IValidatableObject
{
    [Option("Where the device listens.", Example = "tcp://127.0.0.1:502")]
    public required Endpoints Endpoint { get; init; }

    [Option("Pause between polls.", Example = "500ms"), Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(1);

    [Option("Byte order."), AllowedValues(ByteOrder.ABCD, ByteOrder.CDAB, ByteOrder.DCBA)]
    public ByteOrder Order { get; init; } = ByteOrder.ABCD;

    [Option("Password.", Secret = true)]
    public string? Password { get; init; }

    [Option("Devices polled.", Example = """[{ "name": "press1", "unitId": 1, "tags": [{ "name": "temperature", "type": "float32" }] }]""")]
    public required IReadOnlyList<BenchDevice> Devices { get; init; }

    [Option("Tag lists by name.", Advanced = true)]
    public IReadOnlyDictionary<string, BenchTemplate> Templates { get; init; } = new Dictionary<string, BenchTemplate>();

    [Option("Transport security.", Advanced = true)]
    public TlsConfig? Tls { get; init; }

    [Option("Most bytes in a request.", Advanced = true), Range(typeof(ByteSize), "16B", "64KiB")]
    public ByteSize Frame { get; init; } = new(256);

    [Option("Most requests in a time.", Advanced = true)]
    public Rate? Rate { get; init; }

    [Option("Lowest and highest answer times.", Advanced = true), Range(0.5, 100.0)]
    public double[] Times { get; init; } = [];

    [Option("Small number.", Advanced = true)]
    public byte Small { get; init; } = 7;

    [Option("What is assumed before the first poll.", Advanced = true)]
    public Value Assumed { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        for (var i = 0; i < Devices.Count; i++)
            if (Devices[i].Template is { } template && !Templates.ContainsKey(template))
                yield return new($"There is no template '{template}'.", [$"{nameof(Devices)}[{i}].{nameof(BenchDevice.Template)}"]);
    }
}

/// <summary>One device.</summary>
public sealed record BenchDevice
{
    [Option("Name, unique in the gateway.", Example = "press1")]
    public required string Name { get; init; }

    [Option("Unit id."), Range(0, 255)]
    public int UnitId { get; init; } = 1;

    [Option("Whether it is polled.")]
    public bool Enabled { get; init; } = true;

    [Option("Template of its tags.")]
    public string? Template { get; init; }

    [Option("Its own tags.")]
    public List<BenchTag> Tags { get; init; } = [];
}

/// <summary>A named list of tags.</summary>
public sealed record BenchTemplate
{
    [Option("The tags.")]
    public IReadOnlyList<BenchTag> Tags { get; init; } = [];
}

/// <summary>One tag.</summary>
public sealed record BenchTag
{
    [Option("Name, unique in the device.", Example = "temperature"), RegularExpression("^[^/]+$")]
    public required string Name { get; init; }

    [Option("Type of its values.", Example = "float32")]
    public required IotGateway.Sdk.Data.DataType Type { get; init; }

    [Option("Unit of measure.")]
    public string? Unit { get; init; }

    [Option("Factor to engineering units.")]
    public decimal Scale { get; init; } = 1;

    [Option("How it may be written.")]
    public WriteRule? Write { get; init; }
}

/// <summary>Order of bytes on the wire.</summary>
public enum ByteOrder
{
    ABCD,
    CDAB,
    DCBA,
    BADC,
}

/// <summary>The factory of a connector that is configured and never run.</summary>
public sealed class BenchFactory : IConnectorFactory<BenchConfig>
{
    public ConnectorInfo Info { get; } = new("bench", "A connector for tests of configuration.", ConnectorRoles.Source | ConnectorRoles.Commands);

    public IConnector Create(BenchConfig config, ConnectorContext context) => throw new NotSupportedException("Configured only.");

    public IEnumerable<TagDefinition> Tags(BenchConfig config)
        => from device in config.Devices
           from tag in device.Tags.Concat(device.Template is { } t ? config.Templates[t].Tags : [])
           select new TagDefinition(device.Name, tag.Name, tag.Type, tag.Unit, tag.Write);

    public IReadOnlyList<Part<BenchConfig>> Split(BenchConfig config, int maxTasks)
        => [.. config.Devices.Take(maxTasks).Select(d => new Part<BenchConfig>(d.Name, config with { Devices = [d] }))];
}
