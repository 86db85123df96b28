using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IotGateway.Connect.Health;

/// <summary>A record of <c>gateway.gaps</c>; every field is always there.</summary>
sealed record GapRecord
{
    public required string Id { get; init; }
    public required string Connector { get; init; }
    public string? Device { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }
    public required string From { get; init; }
    public string? To { get; init; }
    public required string Reason { get; init; }
    public long? Lost { get; init; }
    public required string Status { get; init; }

    // Only where the log itself lost something.
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Topic { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? Partition { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public long? FromOffset { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public long? ToOffset { get; init; }
}

/// <summary>A record of <c>gateway.health</c>; every field is always there.</summary>
sealed record HealthRecord
{
    public required string Connector { get; init; }
    public int? Task { get; init; }
    public string? Device { get; init; }
    public string? Tag { get; init; }
    public required string State { get; init; }
    public string? Code { get; init; }
    public string? Reason { get; init; }
    public required string Since { get; init; }
    public string? NextTry { get; init; }
}

/// <summary>JSON of gaps and health.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GapRecord))]
[JsonSerializable(typeof(HealthRecord))]
sealed partial class HealthJson : JsonSerializerContext
{
    const string Format = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    static HealthJson() => Default = new(new JsonSerializerOptions(s_defaultOptions) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static string Time(DateTime utc) => utc.ToString(Format, CultureInfo.InvariantCulture);
    public static string Time(DateTimeOffset t) => Time(t.UtcDateTime);
    public static DateTime Parse(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}
