namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>The fixed placeholders of templates.</summary>
static class Placeholders
{
    /// <summary>For validation, when no instance exists.</summary>
    public static IReadOnlyDictionary<string, string> Names { get; } = Of("", "", "");

    public static IReadOnlyDictionary<string, string> Of(string clientId, string gateway, string connector)
        => new Dictionary<string, string> { ["clientId"] = clientId, ["gateway"] = gateway, ["connector"] = connector };
}
