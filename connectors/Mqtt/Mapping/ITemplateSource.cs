namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>What a template's placeholders beside the topic stand for in one message or record.</summary>
interface ITemplateSource
{
    /// <summary>The text; null when there is none.</summary>
    /// <param name="source">The word before the dot, or the whole placeholder: <c>payload</c>, <c>user</c>, <c>name</c>.</param>
    /// <param name="argument">What follows the dot; empty without one.</param>
    /// <param name="path">The argument as a path into JSON, for the sources that are JSON.</param>
    string? Get(string source, string argument, JsonPath? path);
}
