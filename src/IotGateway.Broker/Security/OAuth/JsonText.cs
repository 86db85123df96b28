using System.Text.Json;

namespace IotGateway.Broker.Security.OAuth;

/// <summary>Texts in JSON that others wrote. The parser lets through what is no Unicode and says so only when it is read. Stateless.</summary>
internal static class JsonText
{
    /// <summary>A member's text; null when it is not there or no text.</summary>
    /// <exception cref="FormatException">It is no Unicode.</exception>
    public static string? Get(JsonElement from, string name) => from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? Of(value) : null;

    /// <summary>The text of a string.</summary>
    /// <exception cref="FormatException">It is no Unicode.</exception>
    public static string Of(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException("A text is not Unicode.", e);
        }
    }
}
