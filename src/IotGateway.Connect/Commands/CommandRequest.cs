using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace IotGateway.Connect.Commands;

/// <summary>A command as written to <c>gateway.commands</c>, read and found well-formed. Immutable.</summary>
sealed record CommandRequest
{
    public required string Id { get; init; }
    public required string Connector { get; init; }
    public required string Device { get; init; }
    public string? Tag { get; init; }
    public string? Method { get; init; }
    public JsonElement Value { get; init; }
    public string? Issuer { get; init; }
    public required DateTimeOffset IssuedAt { get; init; }
    public required DateTimeOffset Deadline { get; init; }
    public Precondition? Precondition { get; init; }
    public bool DryRun { get; init; }

    /// <summary>SHA-256 of the content, white space and order of keys aside.</summary>
    public required string Hash { get; init; }
}

/// <summary>What must hold of another tag of the device.</summary>
sealed record Precondition(string Tag, JsonElement EqualTo, TimeSpan MaxAge);

/// <summary>Reads commands. Strict, because a misspelt precondition must not be ignored. Pure.</summary>
static class CommandParser
{
    const int MaxIdLength = 128, MaxNameLength = 1024;
    static readonly TimeSpan DefaultMaxAge = TimeSpan.FromSeconds(10);
    static readonly JsonDocumentOptions Options = new() { MaxDepth = 16, AllowDuplicateProperties = false };
    static readonly HashSet<string> Known = ["gateway", "id", "connector", "device", "tag", "value", "method", "arguments", "issuer", "issuedAt", "deadline", "precondition", "dryRun"];

    /// <summary>Largest command.</summary>
    public const int MaxBytes = 64 << 10;

    /// <summary>The gateway it is for and its id, where they can be read at all; before anything else is looked at.</summary>
    public static (string? Gateway, string? Id) Peek(JsonElement root)
        => root.ValueKind == JsonValueKind.Object ? (Text(root, "gateway"), Text(root, "id")) : (null, null);

    /// <summary>The JSON of a record's value.</summary>
    /// <exception cref="FormatException">It is too large or no JSON.</exception>
    public static JsonElement Open(ReadOnlyMemory<byte>? value)
    {
        if (value is not { } bytes || bytes.Length == 0) throw new FormatException("The record is empty.");
        if (bytes.Length > MaxBytes) throw new FormatException($"A command has at most {MaxBytes} bytes; this one has {bytes.Length}.");
        try
        {
            using var document = JsonDocument.Parse(bytes, Options);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new FormatException("It is no JSON: " + e.Message);
        }
    }

    /// <exception cref="FormatException">Something is missing or wrong; the message says what.</exception>
    public static CommandRequest Parse(JsonElement root)
    {
        foreach (var property in root.EnumerateObject())
            if (!Known.Contains(property.Name)) throw new FormatException($"Unknown field '{property.Name}'.");
        var (tag, method) = (Text(root, "tag"), Text(root, "method"));
        var hasValue = root.TryGetProperty("value", out var value);
        if (tag is null == method is null) throw new FormatException("Give either 'tag' with 'value', or 'method'.");
        if (tag is not null && !hasValue) throw new FormatException("'value' is missing.");
        return new()
        {
            Id = Required(root, "id", MaxIdLength),
            Connector = Required(root, "connector", MaxNameLength),
            Device = Required(root, "device", MaxNameLength),
            Tag = tag,
            Method = method,
            Value = value,
            Issuer = Text(root, "issuer"),
            IssuedAt = Time(root, "issuedAt"),
            Deadline = Time(root, "deadline"),
            Precondition = root.TryGetProperty("precondition", out var condition) ? Condition(condition) : null,
            DryRun = root.TryGetProperty("dryRun", out var dry) && (dry.ValueKind is JsonValueKind.True or JsonValueKind.False ? dry.GetBoolean() : throw new FormatException("'dryRun' is true or false.")),
            Hash = HashOf(root),
        };
    }

    /// <summary>SHA-256 of JSON with its keys in order and no white space.</summary>
    public static string HashOf(JsonElement root)
    {
        var text = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(text)) Canonical(writer, root);
        return Convert.ToHexStringLower(SHA256.HashData(text.WrittenSpan));
    }

    static void Canonical(Utf8JsonWriter to, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                to.WriteStartObject();
                foreach (var property in element.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal))
                {
                    to.WritePropertyName(property.Name);
                    Canonical(to, property.Value);
                }
                to.WriteEndObject();
                break;
            case JsonValueKind.Array:
                to.WriteStartArray();
                foreach (var item in element.EnumerateArray()) Canonical(to, item);
                to.WriteEndArray();
                break;
            default: element.WriteTo(to); break;
        }
    }

    static Precondition Condition(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object) throw new FormatException("'precondition' is an object with 'tag' and 'equals'.");
        foreach (var property in element.EnumerateObject())
            if (property.Name is not ("tag" or "equals" or "maxAge")) throw new FormatException($"Unknown field 'precondition.{property.Name}'.");
        if (!element.TryGetProperty("equals", out var equal)) throw new FormatException("'precondition.equals' is missing.");
        var age = DefaultMaxAge;
        if (element.TryGetProperty("maxAge", out _) && !Sdk.Config.Duration.TryParse(Text(element, "maxAge") ?? "", out age))
            throw new FormatException("'precondition.maxAge' is a duration such as \"5s\".");
        return new(Required(element, "tag", MaxNameLength), equal, age);
    }

    static string? Text(JsonElement root, string name)
        => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    static string Required(JsonElement root, string name, int max)
        => Text(root, name) is { Length: > 0 } text && text.Length <= max ? text : throw new FormatException($"'{name}' must be a text of 1 to {max} characters.");

    static DateTimeOffset Time(JsonElement root, string name)
        => DateTimeOffset.TryParse(Text(root, name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time : throw new FormatException($"'{name}' must be a time such as \"2026-11-20T08:00:00Z\".");
}
