using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>Smallest and largest <see cref="ByteSize"/>, in its own notation; null = no limit.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SizeRangeAttribute(string? min, string? max) : ValidationAttribute
{
    public string? Min { get; } = min;
    public string? Max { get; } = max;

    public override bool IsValid(object? value) => value is not ByteSize size
        || (Min is null || size.Bytes >= Parse(Min).Bytes) && (Max is null || size.Bytes <= Parse(Max).Bytes);

    public override string FormatErrorMessage(string name) => (Min, Max) switch
    {
        ({ } min, { } max) => $"Must be between {min} and {max}.",
        ({ } min, null) => $"Must be at least {min}.",
        _ => $"Must be at most {Max}.",
    };

    static ByteSize Parse(string text) => ByteSize.TryParse(text, out var size) ? size : throw new FormatException($"'{text}' is no size.");
}
