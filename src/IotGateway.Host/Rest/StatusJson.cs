using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using IotGateway.Connect.Tasks;

namespace IotGateway.Host.Rest;

/// <summary>The worker's snapshots as JSON. Enumerations in lower camel case; times in ISO 8601; absent things left out.</summary>
static class StatusJson
{
    public static JsonObject Of(ConnectorSnapshot c) => new()
    {
        ["name"] = c.Name,
        ["plugin"] = c.Plugin,
        ["state"] = Word(c.State),
        ["recordsIn"] = c.Tasks.Sum(t => t.RecordsIn),
        ["bytesIn"] = c.Tasks.Sum(t => t.BytesIn),
        ["recordsOut"] = c.Tasks.Sum(t => t.RecordsOut),
        ["bytesOut"] = c.Tasks.Sum(t => t.BytesOut),
        ["deadLetters"] = c.Tasks.Sum(t => t.DeadLetters),
        ["lag"] = c.Tasks.Sum(t => t.Lag),
        ["tags"] = c.Tags,
        ["tagsRefused"] = c.TagsRefused,
        ["lastError"] = c.Tasks.Where(t => t.State is RunState.Retrying or RunState.Failed).Select(t => t.LastError).FirstOrDefault(),
        ["tasks"] = new JsonArray([.. c.Tasks.Select(Of)]),
        ["devices"] = new JsonArray([.. c.Devices.Select(Of)]),
        ["failingTags"] = new JsonArray([.. c.FailingTags.Select(Of)]),
    };

    static JsonObject Of(TaskSnapshot t) => new()
    {
        ["number"] = t.Number,
        ["key"] = t.Key,
        ["state"] = Word(t.State),
        ["since"] = Time(t.Since),
        ["attempt"] = t.Attempt,
        ["nextTry"] = Time(t.NextTry),
        ["lastError"] = t.LastError,
        ["lastErrorAt"] = Time(t.LastErrorAt),
        ["lastData"] = Time(t.LastData),
    };

    static JsonObject Of(PartSnapshot p) => new()
    {
        ["device"] = p.Device,
        ["tag"] = p.Tag,
        ["state"] = Word(p.State),
        ["code"] = p.Code,
        ["reason"] = p.Reason,
        ["since"] = Time(p.Since),
        ["nextTry"] = Time(p.NextTry),
    };

    static string Word<T>(T value) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    static string? Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
