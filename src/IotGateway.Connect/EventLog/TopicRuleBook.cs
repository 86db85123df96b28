using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Log;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.EventLog;

/// <summary>
/// Brings changed rules of gateway.json to the topics there are. The log keeps the rules that were last in force, so that a change made while the gateway was down
/// counts as well, and a start with the same rules changes nothing that a Kafka tool has set since. Of a topic only those settings change of which the rules
/// now say something else: a new value is set; one that a rule no longer names goes, unless it was changed by other means. Partitions stay.
/// Called by one at a time.
/// </summary>
sealed partial class TopicRuleBook(LogStore store, ILogger logger)
{
    static readonly byte[] Key = "topicRules"u8.ToArray();

    /// <summary>Returns when all topics have what the rules say, durably, and the rules are kept. Stopped in between, the next call does the rest.</summary>
    /// <exception cref="IOException">The log takes nothing.</exception>
    public async Task ApplyAsync(IReadOnlyList<TopicRule> rules, CancellationToken ct)
    {
        var text = JsonSerializer.SerializeToUtf8Bytes([.. rules.Select(KeptRule.Of)], TopicRuleJson.Default.KeptRuleArray);
        if (store.Get(LogTables.Control, Key) is not { } stored)
        {
            // Topics were made by these, or by rules that nobody knows any more.
            await KeepAsync(text, ct).ConfigureAwait(false);
            return;
        }
        if (stored.Span.SequenceEqual(text)) return;
        var before = JsonSerializer.Deserialize(stored.Span, TopicRuleJson.Default.KeptRuleArray)!.Select(k => k.Rule).ToList();
        var changed = new List<string>();
        foreach (var topic in store.Topics)
            if (Next(topic.Config, TopicSettings.Ruled(before, topic.Name), TopicSettings.Ruled(rules, topic.Name)) is { } next && await SetAsync(topic, next, ct).ConfigureAwait(false)) changed.Add(topic.Name);
        await KeepAsync(text, ct).ConfigureAwait(false);
        if (changed.Count > 0) Log.Changed(logger, changed.Count, string.Join(", ", changed.Order(StringComparer.Ordinal).Take(5)));
    }

    /// <summary>The configuration with what the rules say otherwise; null when that is nothing.</summary>
    static TopicConfig? Next(TopicConfig config, Dictionary<string, string> before, Dictionary<string, string> after)
    {
        var settings = new Dictionary<string, string>(config.Settings);
        var changed = false;
        foreach (var name in before.Keys.Union(after.Keys))
        {
            var (was, now) = (before.GetValueOrDefault(name), after.GetValueOrDefault(name));
            if (was == now) continue;
            var set = Set(name, settings.GetValueOrDefault(name));
            if (now is null) changed |= set == was && settings.Remove(name);
            else if (set != now)
            {
                settings[name] = now;
                changed = true;
            }
        }
        return changed ? config with { Settings = settings } : null;
    }

    // An interval may be written in another unit: by a tool, or by versions before, which took the rule's.
    static string? Set(string name, string? value)
        => name == TopicSettings.DurabilitySetting && value is not null ? DurabilityAttribute.InLog(value) ?? value : value;

    async Task<bool> SetAsync(Topic topic, TopicConfig config, CancellationToken ct)
    {
        try
        {
            await store.SetConfigAsync(topic.Id, config, ct).ConfigureAwait(false);
            return true;
        }
        catch (UnknownTopicException)
        {
            return false; // deleted meanwhile
        }
    }

    async Task KeepAsync(byte[] text, CancellationToken ct)
    {
        var unit = new LogUnit();
        unit.Put(LogTables.Control, Key, text);
        await store.CommitAsync(unit, ct).ConfigureAwait(false);
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The rules for topics in gateway.json have changed: settings of {Count} topic(s) were changed, among them {Topics}.")]
        public static partial void Changed(ILogger logger, int count, string topics);
    }
}
