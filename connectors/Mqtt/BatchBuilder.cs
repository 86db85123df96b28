using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Mqtt.Session;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt;

/// <summary>
/// Turns what has arrived into one batch: records or readings, the session state that must be durable with them, and what is then
/// owed to the broker. One thread.
/// </summary>
sealed class BatchBuilder(InboundSession session, DropCounter drops, MqttVersion version)
{
    // A batch is one unit of the log, which is bounded by the size of a write-ahead file; one too large would be refused for ever.
    const int MostBytes = 4 << 20, MostResults = 10_000;

    /// <summary>Builds a batch; null when there is nothing to write.</summary>
    /// <param name="items">What has arrived.</param>
    /// <param name="at">Where in it to begin; behind what went into the batch afterwards.</param>
    /// <param name="mapper">What messages become.</param>
    /// <param name="owed">What is owed once the batch is durable; without a batch only the bytes held.</param>
    public SourceBatch? Build(IReadOnlyList<Inbound> items, ref int at, MessageMapper mapper, out Acknowledgements owed)
    {
        List<StateChange> state = [];
        List<Record> records = [];
        List<Reading> readings = [];
        session.Begin(state);
        owed = new Acknowledgements(session.Batch, version);
        for (; at < items.Count && owed.Bytes < MostBytes && records.Count + readings.Count < MostResults; at++)
        {
            var item = items[at];
            if (item.Release != 0) owed.Complete(item.Release, session.Release(item.Release, state));
            if (item.Message is not { } message) continue;
            owed.Bytes += message.Size;
            var verdict = message.Qos == 0 ? Verdict.Append : session.Judge(message, state);
            if (message.Qos > 0) owed.Messages++;
            if (verdict != Verdict.Append) owed.Redelivered++;
            else if (message.Dup) owed.PossibleDuplicates++;
            if (verdict == Verdict.Append) mapper.Map(message, item.Received, records, readings);
            if (verdict != Verdict.Ignore && message.Qos > 0) owed.Message(message.Qos, message.PacketId);
        }
        session.Seal(state);
        var gap = drops.Take();
        if (records.Count == 0 && readings.Count == 0 && state.Count == 0 && owed.IsEmpty && gap is null) return null;
        return new() { Records = records, Readings = readings, State = state, Gaps = gap is null ? [] : [gap] };
    }
}
