using System.Globalization;
using IotGateway.Connect.EventLog;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Records;

/// <summary>Records of <c>gateway.dead-letters</c>: original key, value and headers, and headers that say whose, from where, and why. Pure.</summary>
static class DeadLetter
{
    /// <summary>A record of the log that could not be used.</summary>
    public static void Add(EventUnit unit, string connector, SinkRecord record, string reason, DateTimeOffset now)
    {
        unit.Begin(InternalTopics.DeadLetters, now.ToUnixTimeMilliseconds());
        if (record.Key is { } key) unit.Key(key.Span);
        if (record.Value is { } value) unit.Value(value.Span);
        foreach (var header in record.Headers) unit.Header(header.Name, header.Value);
        unit.Header("connector", connector);
        unit.Header("topic", record.Topic);
        unit.Header("partition", record.Partition.ToString(CultureInfo.InvariantCulture));
        unit.Header("offset", record.Offset.ToString(CultureInfo.InvariantCulture));
        unit.Header("reason", reason);
        unit.End();
    }
}
