using System.Globalization;
using System.Text;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Mqtt.Session;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connectors.Mqtt;

/// <summary>
/// Brings the broker's subscriptions in line with the configuration: new ones are made, removed ones given up, without touching the
/// session. One refused filter is reported and leaves the others working; all refused is a fault.
/// </summary>
sealed partial class Subscriber(MqttConfig config, ConnectorContext context, TaskState state, MqttClient client, InstanceMemory memory, IReadOnlyDictionary<string, uint> numbers)
{
    const int MostCompared = 1_000;
    const int FiltersPerPacket = 100; // well below the limits brokers are known to set on one SUBSCRIBE

    /// <summary>Subscribes, unsubscribes, and notes what holds.</summary>
    /// <param name="stored">What an earlier instance noted, if the session is that one's; else null.</param>
    /// <param name="mode">A probe notes nothing.</param>
    /// <param name="isChange">The connection has these subscriptions already: what did not change is left alone where asking again would send retained messages again.</param>
    /// <param name="ct">Cancels waiting.</param>
    /// <returns>What holds now, as stored.</returns>
    public async Task<ReadOnlyMemory<byte>?> RunAsync(ReadOnlyMemory<byte>? stored, OpenMode mode, bool isChange, CancellationToken ct)
    {
        var before = Parse(stored);
        var wanted = config.Subscriptions.ToDictionary(s => s.Filter, Options);
        var gone = before.Keys.Except(wanted.Keys).Select(f => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(f)).ToList();
        foreach (var chunk in gone.Chunk(FiltersPerPacket)) await client.UnsubscribeAsync(chunk, ct).ConfigureAwait(false);

        // Version 5 lets us ask again without being sent the retained messages again (§3.8.3.1); 3.1.1 does not, so only what is new is asked for.
        var ask = config.Subscriptions.Where(s => !before.TryGetValue(s.Filter, out var options) || options != wanted[s.Filter]
            || (s.Retained == RetainedMessages.Always ? !isChange : client.Version == MqttVersion.V5)
            || (client.Version == MqttVersion.V31 && !isChange)) // which does not say whether the session is still there
            .ToList();
        var refused = new List<(string Filter, ReasonCode Reason)>();
        var overlaps = Overlaps();
        var identified = overlaps && client.Version == MqttVersion.V5 && client.Server.SubscriptionIds;
        if (overlaps && !identified) Log.Overlap(context.Logger, context.Name);
        // An identifier is of a whole SUBSCRIBE, so that each identified filter needs its own.
        foreach (var chunk in ask.Chunk(identified ? 1 : FiltersPerPacket))
        {
            var filters = Array.ConvertAll(chunk, s => new SubscribeFilter(Encoding.UTF8.GetBytes(s.Filter), wanted[s.Filter]));
            uint? id = identified ? numbers[chunk[0].Filter] : null;
            var reasons = await client.SubscribeAsync(filters, id, ct).ConfigureAwait(false);
            for (var i = 0; i < chunk.Length; i++) Note(chunk[i], reasons[i], refused);
        }
        if (refused.Count > 0 && refused.Count == config.Subscriptions.Count) throw AllRefused(refused);
        foreach (var (filter, _) in refused) wanted.Remove(filter);
        ReadOnlyMemory<byte> text = Encoding.UTF8.GetBytes(string.Join('\n', wanted.Select(w => string.Create(CultureInfo.InvariantCulture, $"{w.Value} {w.Key}"))));
        if (mode == OpenMode.Run && (stored is null || !stored.Value.Span.SequenceEqual(text.Span)))
            await state.SaveAsync([new(SessionKeys.Subscriptions, text)], ct).ConfigureAwait(false);
        return text;
    }

    /// <summary>Whether a message may match two filters. Bounded: with very many filters it is not worth the time to look.</summary>
    bool Overlaps()
    {
        var filters = config.Subscriptions.Select(s => TopicName.WithoutShare(s.Filter)).ToArray();
        if (filters.Length > MostCompared) return false;
        for (var i = 0; i < filters.Length; i++)
            for (var j = i + 1; j < filters.Length; j++)
                if (TopicName.Overlap(filters[i], filters[j])) return true;
        return false;
    }

    static byte Options(MqttSubscription s)
        => SubscribeFilter.Of(s.Filter, s.Qos, s.NoLocal, s.RetainAsPublished, (int)s.Retained).Options;

    static Dictionary<string, byte> Parse(ReadOnlyMemory<byte>? stored)
        => stored is not { Length: > 0 } text ? [] : Encoding.UTF8.GetString(text.Span).Split('\n').Select(line => line.Split(' ', 2))
            .ToDictionary(p => p[1], p => byte.Parse(p[0], CultureInfo.InvariantCulture));

    void Note(MqttSubscription s, ReasonCode reason, List<(string, ReasonCode)> refused)
    {
        if ((byte)reason >= 0x80)
        {
            refused.Add((s.Filter, reason));
            memory.NoteFilter(context.Name, s.Filter, failing: true);
            context.Report(new PartHealth(context.Name, s.Filter, PartState.Down, reason.Code(), $"The broker refused the subscription: {reason.Text()}.", null));
            Log.Refused(context.Logger, context.Name, s.Filter, reason.Text());
        }
        else if ((byte)reason < s.Qos)
        {
            memory.NoteFilter(context.Name, s.Filter, failing: true);
            context.Report(new PartHealth(context.Name, s.Filter, PartState.Degraded, reason.Code(), $"The broker grants QoS {(byte)reason} only.", null));
            Log.LowerQos(context.Logger, context.Name, s.Filter, s.Qos, (byte)reason);
        }
        else if (memory.NoteFilter(context.Name, s.Filter, failing: false))
        {
            context.Report(new PartHealth(context.Name, s.Filter, PartState.Ok, null, null, null));
        }
    }

    Exception AllRefused(List<(string Filter, ReasonCode Reason)> refused)
    {
        var message = $"{client.Address} refused every subscription: {string.Join(", ", refused.Take(5).Select(r => $"'{r.Filter}' {r.Reason.Text()}"))}.";
        // In 3.1.1 the only reason is 0x80, which may pass; version 5 says when it will not.
        return refused.TrueForAll(r => r.Reason is ReasonCode.NotAuthorized or ReasonCode.TopicFilterInvalid or ReasonCode.WildcardSubscriptionsNotSupported or ReasonCode.SharedSubscriptionsNotSupported)
            ? new PermanentException(message + " Change the filters or the broker's permissions.") : new IOException(message);
    }

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Connector}: the broker refused to subscribe to '{Filter}': {Reason}. Check the filter and the broker's permissions; the other subscriptions go on.")]
        public static partial void Refused(ILogger logger, string connector, string filter, string reason);

        [LoggerMessage(3, LogLevel.Warning, "{Connector}: subscriptions overlap, and this broker or version 3.1.1 cannot tell which one a message is for: the first that matches decides, and a message may come twice.")]
        public static partial void Overlap(ILogger logger, string connector);

        [LoggerMessage(2, LogLevel.Warning, "{Connector}: the broker grants '{Filter}' only QoS {Granted} instead of {Asked}: messages may be lost.")]
        public static partial void LowerQos(ILogger logger, string connector, string filter, int asked, int granted);
    }
}
