namespace IotGateway.Sdk.Config;

/// <summary>
/// Declares a property of a configuration record as an option. From it come the JSON Schema, the README table, the sample,
/// validation, REST answers, forms and secret masking. Rules are DataAnnotations beside it (<c>[Range]</c>, <c>[RegularExpression]</c>);
/// rules across options are <c>IValidatableObject</c>. The default is the property's initialiser; <c>required</c> makes it mandatory.
/// </summary>
/// <remarks>Types: bool, integers, float, double, decimal, string, enums, TimeSpan, <see cref="ByteSize"/>, <see cref="Rate"/>,
/// <see cref="Endpoints"/>, <see cref="Data.Value"/> (any JSON scalar), records, and lists or string-keyed dictionaries of these.</remarks>
/// <param name="doc">What it is, in a sentence that starts with a capital and ends with a full stop.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionAttribute(string doc) : Attribute
{
    /// <summary>What it is.</summary>
    public string Doc { get; } = doc;

    /// <summary>A value for the sample, as JSON text or a plain string.</summary>
    public string? Example { get; init; }

    /// <summary>Rarely needed: left out of the sample, folded in forms.</summary>
    public bool Advanced { get; init; }

    /// <summary>Never shown: masked in logs, REST and bundles.</summary>
    public bool Secret { get; init; }
}
