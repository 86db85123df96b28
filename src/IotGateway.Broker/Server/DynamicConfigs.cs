using System.Text;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>
/// Settings of the broker and of groups that clients have set, in a table of the log: key <c>TYPE/SETTING/RESOURCE</c> (a resource may have any name), value
/// the text. Thread-safe.
/// </summary>
internal sealed class DynamicConfigs(LogStore log)
{
    const string Table = "broker.configs";

    /// <summary>Resources of a kind that something was set for.</summary>
    public IReadOnlyList<string> Resources(sbyte type)
        => [.. log.Scan(Table).Select(entry => Encoding.UTF8.GetString(entry.Key.Span).Split('/', 3)).Where(key => key is [var kind, _, _] && kind == $"{type}").Select(key => key[2]).Distinct()];

    /// <summary>What was set for a resource.</summary>
    public Dictionary<string, string> Of(sbyte type, string resource)
    {
        var settings = new Dictionary<string, string>();
        foreach (var (key, value) in log.Scan(Table))
            if (Encoding.UTF8.GetString(key.Span).Split('/', 3) is [var kind, var setting, var name] && kind == $"{type}" && name == resource)
                settings[setting] = Encoding.UTF8.GetString(value.Span);
        return settings;
    }

    /// <summary>Makes these a resource's settings, all others of it go; returns when that is durable.</summary>
    public async ValueTask SaveAsync(sbyte type, string resource, Dictionary<string, string> settings, CancellationToken ct)
    {
        var unit = new LogUnit();
        foreach (var gone in Of(type, resource).Keys.Except(settings.Keys)) unit.Put(Table, Key(type, gone, resource), null);
        foreach (var (setting, value) in settings) unit.Put(Table, Key(type, setting, resource), Encoding.UTF8.GetBytes(value));
        await log.CommitAsync(unit, ct);
    }

    static byte[] Key(sbyte type, string setting, string resource) => Encoding.UTF8.GetBytes($"{type}/{setting}/{resource}");
}
