using System.Text;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// Where a sink with <c>"startFrom": "latest"</c> begins: decided once, when it first starts, and durably before it opens. What is
/// written while it cannot connect is delivered later, not skipped.
/// </summary>
static class SinkStart
{
    public static async Task AnchorAsync(IEventLog log, ConnectorConfig config, CancellationToken ct)
    {
        var key = Encoding.UTF8.GetBytes("anchored\0" + config.Name);
        if (config.Common.StartFrom != StartFrom.Latest || log.Get(LogTables.Control, key) is { Length: > 0 }) return;
        var unit = new EventUnit { Reserved = true };
        var reader = log.Read(config.Name, TopicFilter.Of(config.Common.Topics), fromEnd: true);
        await using (reader.ConfigureAwait(false)) reader.Anchor(unit);
        unit.Put(LogTables.Control, key, [1]);
        await log.CommitAsync(unit, ct).ConfigureAwait(false);
    }
}
