using System.Collections;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Configs.Docs;

/// <summary>Writes CLR values and examples of options as JSON in the notation of the configuration.</summary>
internal static class ValueText
{
    /// <summary>The default as JSON text; null when there is none worth showing (null, None, a record).</summary>
    public static string? Default(OptionInfo option)
        => option.Required || option.Default is null or Value { IsNone: true } || option.Type.Kind is OptionKind.Object ? null : Json(option.Default, option.Type);

    static string? Json(object? value, OptionType type) => value switch
    {
        null => "null",
        string text => Quote(text),
        bool truth => truth ? "true" : "false",
        TimeSpan time => Quote(Duration.Format(time)),
        ByteSize or Rate => Quote(value.ToString()!),
        Enum => Quote(JsonNames.OfEnum(type.Clr).First(c => c.Value.Equals(value)).Name),
        Endpoints addresses => addresses.Count == 1 ? Quote(addresses[0]) : "[" + string.Join(", ", addresses.Select(Quote)) + "]",
        Value scalar => scalar.Type == DataType.String ? Quote(scalar.AsString) : scalar.ToString(),
        float number => number.ToString(CultureInfo.InvariantCulture),
        double number => number.ToString(CultureInfo.InvariantCulture),
        IDictionary entries => entries.Count == 0 ? "{}" : null,
        IEnumerable items => List(items, type.Item!),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => null,
    };

    static string? List(IEnumerable items, OptionType type)
    {
        var texts = items.Cast<object?>().Select(i => Json(i, type)).ToList();
        return texts.Contains(null) || texts.Count > 0 && type.Kind is OptionKind.Object or OptionKind.Dictionary ? null : "[" + string.Join(", ", texts) + "]";
    }

    /// <summary>The declared example as JSON text; null when there is none.</summary>
    public static string? Example(OptionInfo option)
    {
        if (option.Example is not { } example) return null;
        var isJson = IsJson(example);
        return option.Type.Kind switch
        {
            OptionKind.Integer or OptionKind.Number or OptionKind.Bool or OptionKind.Scalar when isJson => example,
            OptionKind.Object or OptionKind.Dictionary => isJson ? example : null,
            OptionKind.List => example is ['[', ..] && isJson ? example : "[" + (isJson ? example : Quote(example)) + "]",
            _ => example is ['"' or '[' or '{', ..] && isJson ? example : Quote(example),
        };
    }

    public static string Quote(string text) => "\"" + JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text) + "\"";

    static bool IsJson(string text)
    {
        try
        {
            using var _ = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
