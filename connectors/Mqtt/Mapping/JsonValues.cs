using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>JSON to values and texts. Pure.</summary>
static class JsonValues
{
    static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64 };

    /// <summary>Reads a payload; null and a sentence when it is no JSON. The document keeps no copy of the payload: dispose it before the payload goes.</summary>
    public static JsonDocument? Parse(ReadOnlyMemory<byte> payload, out string? error)
    {
        error = null;
        try
        {
            if (Utf8.IsValid(payload.Span)) return JsonDocument.Parse(payload, Strict);
            error = "The payload is no UTF-8.";
        }
        catch (JsonException e)
        {
            error = $"The payload is no JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine}.";
        }
        return null;
    }

    /// <summary>A scalar as the text it has in a template; null for null, objects and arrays.</summary>
    public static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Unescaped(value),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };

    /// <summary>A scalar as a value of a type; numbers may be written as strings, octets are base64. False when it is none.</summary>
    public static bool TryRead(JsonElement element, DataType type, out Value value)
    {
        value = default;
        if (Text(element) is not { } text) return false;
        if (type != DataType.Bytes) return PlainValue.TryRead(Encoding.UTF8.GetBytes(text), type, out value);
        if (element.ValueKind != JsonValueKind.String || !element.TryGetBytesFromBase64(out var octets)) return false;
        value = Value.Of(octets.AsMemory());
        return true;
    }

    // An escaped lone surrogate is JSON, but no text.
    static string? Unescaped(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
