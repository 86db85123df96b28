using System.Text.Json.Serialization;

namespace IotGateway.Connect.Configs.KafkaConnect;

/// <summary>Answer of Kafka Connect's <c>PUT /connector-plugins/{p}/config/validate</c>, field by field.</summary>
public sealed record ConfigInfos(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("error_count")] int ErrorCount,
    [property: JsonPropertyName("groups")] IReadOnlyList<string> Groups,
    [property: JsonPropertyName("configs")] IReadOnlyList<ConfigInfo> Configs);

/// <summary>One option and its value. A key nobody declared has no definition.</summary>
public sealed record ConfigInfo(
    [property: JsonPropertyName("definition")] ConfigKeyInfo? Definition,
    [property: JsonPropertyName("value")] ConfigValueInfo Value);

/// <summary>One option as Kafka Connect describes it.</summary>
public sealed record ConfigKeyInfo(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("required")] bool Required,
    [property: JsonPropertyName("default_value")] string? DefaultValue,
    [property: JsonPropertyName("importance")] string Importance,
    [property: JsonPropertyName("documentation")] string Documentation,
    [property: JsonPropertyName("group")] string? Group,
    [property: JsonPropertyName("width")] string Width,
    [property: JsonPropertyName("display_name")] string DisplayName,
    [property: JsonPropertyName("dependents")] IReadOnlyList<string> Dependents,
    [property: JsonPropertyName("order")] int Order);

/// <summary>One option's value with what is wrong about it.</summary>
public sealed record ConfigValueInfo(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("value")] string? Value,
    [property: JsonPropertyName("recommended_values")] IReadOnlyList<string> RecommendedValues,
    [property: JsonPropertyName("errors")] IReadOnlyList<string> Errors,
    [property: JsonPropertyName("visible")] bool Visible);
