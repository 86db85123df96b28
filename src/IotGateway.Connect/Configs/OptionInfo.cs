using System.ComponentModel.DataAnnotations;
using System.Reflection;
using IotGateway.Connect.Configs.Binding;

namespace IotGateway.Connect.Configs;

/// <summary>One option as declared by its property. Immutable.</summary>
public sealed record OptionInfo
{
    /// <summary>Its JSON name.</summary>
    public required string Name { get; init; }

    /// <summary>Its JSON path; list elements as <c>[]</c>, dictionary entries as <c>.*</c>.</summary>
    public required string Path { get; init; }

    /// <summary>What a value looks like.</summary>
    public required OptionType Type { get; init; }

    /// <summary>What it is.</summary>
    public required string Doc { get; init; }

    /// <summary>A value for the sample: JSON text, or a plain string.</summary>
    public string? Example { get; init; }

    /// <summary>Whether it must be given.</summary>
    public bool Required { get; init; }

    /// <summary>Default as a CLR value; null for none.</summary>
    public object? Default { get; init; }

    /// <summary>Rarely needed.</summary>
    public bool Advanced { get; init; }

    /// <summary>Never shown.</summary>
    public bool Secret { get; init; }

    /// <summary>One of the runtime's own options rather than the connector's.</summary>
    public bool Common { get; init; }

    /// <summary>Smallest value, in the notation of the configuration; null for none.</summary>
    public string? Min => Limit?.MinText;

    /// <summary>Largest value.</summary>
    public string? Max => Limit?.MaxText;

    /// <summary>Regular expression a text must match.</summary>
    public string? Pattern { get; init; }

    /// <summary>The declaration.</summary>
    internal PropertyInfo Property { get; init; } = null!;

    /// <summary>Smallest and largest value; null for none.</summary>
    internal ValueLimit? Limit { get; init; }

    /// <summary>All other rules.</summary>
    internal IReadOnlyList<ValidationAttribute> Rules { get; init; } = [];

    /// <summary>Name and kind.</summary>
    public override string ToString() => $"{Path} ({Type.Kind})";
}
