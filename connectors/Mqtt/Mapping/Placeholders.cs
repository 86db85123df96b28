namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>The placeholders of templates beside those of the topic.</summary>
static class Placeholders
{
    /// <summary>For validation, when no instance exists.</summary>
    public static IReadOnlyDictionary<string, string> Names { get; } = Of("", "", "");

    /// <summary>What varies from message to message: fields of a JSON payload, user properties.</summary>
    public static IReadOnlyList<string> OfMessages { get; } = ["payload.*", "user.*"];

    /// <summary>The same within <c>readings</c>, where there is also the element matched and its name.</summary>
    public static IReadOnlyList<string> OfReadings { get; } = [.. OfMessages, "element.*", "name"];

    public static IReadOnlyDictionary<string, string> Of(string clientId, string gateway, string connector)
        => new Dictionary<string, string> { ["clientId"] = clientId, ["gateway"] = gateway, ["connector"] = connector };
}
