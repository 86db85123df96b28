using IotGateway.Connectors.Mqtt.Mapping;

namespace IotGateway.Connectors.Mqtt.Commands;

/// <summary>Topics of commands and answers. Pure.</summary>
static class CommandTemplates
{
    static readonly string[] Sources = ["device", "tag"];

    /// <summary>Reads a template; there is no message yet, so that nothing of a message can stand in it.</summary>
    public static TopicTemplate? Parse(string text, IReadOnlyDictionary<string, string> names, out string? error)
    {
        if (text.Contains("${topic", StringComparison.Ordinal))
        {
            error = $"'{text}' speaks of a topic, but a command has none; use ${{device}} and ${{tag}}.";
            return null;
        }
        return TopicTemplate.TryParse(text, names, out error, Sources);
    }

    public static string Expand(TopicTemplate template, string device, string tag) => template.Expand("", out _, new Target(device, tag));

    sealed class Target(string device, string tag) : ITemplateSource
    {
        public string? Get(string source, string argument, JsonPath? path) => source == "device" ? device : tag;
    }
}
