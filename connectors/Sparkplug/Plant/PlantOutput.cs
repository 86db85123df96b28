using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>What messages lead to: one batch, and rebirth requests. Owned by the thread that reads.</summary>
sealed class PlantOutput(string connector)
{
    readonly List<Reading> _readings = [];
    readonly List<Record> _records = [];
    readonly List<Gap> _gaps = [];
    readonly List<StateChange> _state = [];

    /// <summary>Edge nodes to ask for a rebirth now.</summary>
    public List<EdgeKey> Rebirths { get; } = [];

    /// <summary>Edge nodes that were born.</summary>
    public List<EdgeKey> Born { get; } = [];

    public IReadOnlyList<Reading> Readings => _readings;

    public IReadOnlyList<Gap> Gaps => _gaps;

    public IReadOnlyList<Record> Records => _records;

    public void Add(in Reading reading) => _readings.Add(reading);

    public void Add(Gap gap) => _gaps.Add(gap);

    public void Add(StateChange change) => _state.Add(change);

    /// <summary>A message that cannot be used, with why.</summary>
    public void Poison(ReadOnlyMemory<byte> topic, ReadOnlyMemory<byte> payload, string reason)
        => _records.Add(new() { Topic = connector, Key = topic, Value = payload, Headers = [new("mqtt.topic", topic)], Poison = reason });

    /// <summary>The same for a message already parsed.</summary>
    public void Poison(Message message, string reason) => Poison(message.RawTopic, message.Raw, reason);

    /// <summary>The batch; null when there is nothing to write.</summary>
    public SourceBatch? Build()
        => _readings.Count + _records.Count + _gaps.Count + _state.Count == 0 ? null : new() { Readings = _readings, Records = _records, Gaps = _gaps, State = _state };
}
