using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Sdk.Config;
using DataType = IotGateway.Sdk.Data.DataType;

namespace IotGateway.Connectors.Mqtt;

/// <summary>A value, or several, in a JSON payload.</summary>
public sealed record MqttReading : IValidatableObject
{
    /// <summary>Where.</summary>
    [Option("Where in the payload: $.values.temperature, $.list[0], all elements of an array $.list[*].value, all members of an object $.metrics.*.", Example = "$.values.temperature")]
    public required string Path { get; init; }

    /// <summary>Tag template.</summary>
    [Option("Tag of the reading: text with the same placeholders as tag, with ${name}, the last member the path names or .* matches, and with ${element.id}, a field of the element a wildcard matches.", Example = "temperature")]
    public string Tag { get; init; } = "${name}";

    /// <summary>Device template.</summary>
    [Option("Device of the reading, instead of the subscription's; the same placeholders as tag here.", Advanced = true)]
    public string? Device { get; init; }

    /// <summary>Type.</summary>
    [Option("Type of the value, instead of the subscription's.", Example = "float32")]
    public DataType? Type { get; init; }

    /// <summary>Unit.</summary>
    [Option("Unit of measure.", Example = "°C")]
    public string? Unit { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (JsonPath.TryParse(Path, out var wrong) is not { } path) yield return new(wrong, [nameof(Path)]);
        else if (path.IsRelative) yield return new("The path of a value begins with $.", [nameof(Path)]);
        if (Type is { } type && !PlainValue.IsSupported(type)) yield return new($"A reading's value cannot be a {type}.", [nameof(Type)]);
        foreach (var (name, template) in new[] { (nameof(Device), Device), (nameof(Tag), Tag) })
            if (template is not null && TopicTemplate.TryParse(template, Placeholders.Names, out var error, Placeholders.OfReadings) is null) yield return new(error, [name]);
    }
}

/// <summary>The time a JSON payload gives its values.</summary>
public sealed record MqttTimestamp : IValidatableObject
{
    /// <summary>Where.</summary>
    [Option("Where the time stands: $.ts in the payload, or @.ts in the element that a wildcard of a reading's path matches.", Example = "$.ts")]
    public required string Path { get; init; }

    /// <summary>How it is written.</summary>
    [Option("How it is written: iso text, or seconds, milliseconds or microseconds since 1970.", Example = "epochMs")]
    public MqttTimeFormat Format { get; init; } = MqttTimeFormat.Iso;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (JsonPath.TryParse(Path, out var wrong) is not { } path) yield return new(wrong, [nameof(Path)]);
        else if (path.HasWildcard) yield return new("The path of the time names one field; write @.ts for a field of each element.", [nameof(Path)]);
    }
}

/// <summary>How a payload writes times.</summary>
public enum MqttTimeFormat
{
    /// <summary>ISO 8601; without an offset it is UTC.</summary>
    Iso,

    /// <summary>Seconds since 1970, fractions allowed.</summary>
    EpochS,

    /// <summary>Milliseconds since 1970.</summary>
    EpochMs,

    /// <summary>Microseconds since 1970.</summary>
    EpochUs,
}
