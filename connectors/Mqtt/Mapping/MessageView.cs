using System.Text;
using System.Text.Json;
using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>One message as templates see it. Lives no longer than the message's JSON document.</summary>
sealed class MessageView(PublishPacket packet, JsonElement? payload) : ITemplateSource
{
    /// <summary>The match a reading is being made of.</summary>
    public JsonMatch Match { get; set; }

    public string? Get(string source, string argument, JsonPath? path) => source switch
    {
        "user" => User(argument),
        "payload" => payload is { } root ? Text(root, path!) : null,
        "element" => Match.Element.ValueKind == JsonValueKind.Undefined ? null : Text(Match.Element, path!),
        "name" => Match.Name,
        _ => null,
    };

    string? User(string name)
    {
        foreach (var property in packet.Properties)
            if (property.Id == PropertyId.UserProperty && property.Name.Span.SequenceEqual(Encoding.UTF8.GetBytes(name))) return Encoding.UTF8.GetString(property.Data.Span);
        return null;
    }

    static string? Text(JsonElement from, JsonPath path) => path.TryFind(from, out var value) ? JsonValues.Text(value) : null;
}
