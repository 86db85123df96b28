using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Sink;

/// <summary>One record of the log as templates see it. What is no UTF-8 is not there.</summary>
sealed class RecordView(SinkRecord record, JsonElement? payload) : ITemplateSource
{
    public string? Get(string source, string argument, JsonPath? path) => source switch
    {
        "path" => record.Topic.Replace('.', '/'),
        "key" => Text(record.Key),
        "header" => Header(argument),
        "payload" => payload is { } root && path!.TryFind(root, out var value) ? JsonValues.Text(value) : null,
        _ => null,
    };

    string? Header(string name)
    {
        foreach (var header in record.Headers)
            if (header.Name == name) return Text(header.Value);
        return null;
    }

    static string? Text(ReadOnlyMemory<byte>? bytes) => bytes is { } some && Utf8.IsValid(some.Span) ? Encoding.UTF8.GetString(some.Span) : null;
}
