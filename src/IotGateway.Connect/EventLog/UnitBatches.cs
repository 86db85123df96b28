using IotGateway.Log;
using IotGateway.Log.Records;

namespace IotGateway.Connect.EventLog;

/// <summary>
/// The record batches of one unit, one or more per partition, built in one pass. Keeps its buffers: a steady stream of like units
/// allocates nothing per record. Not thread-safe; reusable after <see cref="Clear"/>.
/// </summary>
sealed class UnitBatches
{
    const int BatchBytes = 512 << 10; // a batch is closed when it has this much, well below Kafka's default max.message.bytes
    readonly List<RecordBatchBuilder> _builders = [];
    readonly Dictionary<Partition, int> _building = [];
    readonly List<Partition> _partitions = []; // by builder
    KeyValuePair<string, ReadOnlyMemory<byte>?>[] _headers = new KeyValuePair<string, ReadOnlyMemory<byte>?>[8];

    /// <summary>What is handed to the log.</summary>
    public LogUnit Unit { get; } = new();

    /// <summary>Builds the batches of a unit whose topics exist.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="find">A topic by name.</param>
    /// <param name="keyless">Chooses the partition of this unit's records without a key.</param>
    public void Build(EventUnit unit, Func<string, Topic> find, uint keyless)
    {
        Topic? topic = null;
        foreach (ref readonly var record in unit.Records)
        {
            if (topic?.Name != record.Topic) topic = find(record.Topic);
            Add(unit, record, topic, keyless);
        }
        for (var i = 0; i < _partitions.Count; i++) Unit.Append(_partitions[i], _builders[i].Build(), unit.Origin);
        foreach (ref readonly var put in unit.Puts) Unit.Put(put.Table, unit.At(put.Key)!.Value, unit.At(put.Value));
        Unit.Reserved = unit.Reserved;
    }

    /// <summary>Bytes of the batches; what is worth keeping is decided by it.</summary>
    public long Bytes
    {
        get
        {
            long bytes = 0;
            for (var i = 0; i < _partitions.Count; i++) bytes += _builders[i].Size;
            return bytes;
        }
    }

    /// <summary>Empties it for reuse.</summary>
    public void Clear()
    {
        Unit.Clear();
        _building.Clear();
        for (var i = 0; i < _partitions.Count; i++) _builders[i].Clear();
        _partitions.Clear();
        Array.Clear(_headers);
    }

    void Add(EventUnit unit, in RecordEntry record, Topic topic, uint keyless)
    {
        var partitions = topic.Partitions;
        var hasKey = record.Key.Length >= 0;
        var hasValue = record.Value.Length >= 0;
        var key = hasKey ? unit.SpanAt(record.Key) : default;
        var partition = partitions[hasKey ? Murmur2.Partition(key, partitions.Count) : (int)(keyless % (uint)partitions.Count)];

        var headers = unit.HeadersOf(record);
        if (_headers.Length < headers.Length) _headers = new KeyValuePair<string, ReadOnlyMemory<byte>?>[headers.Length];
        for (var i = 0; i < headers.Length; i++) _headers[i] = new(headers[i].Name, unit.At(headers[i].Value));

        Builder(partition, record).Add(record.Timestamp, key, hasValue ? unit.SpanAt(record.Value) : default,
            _headers.AsSpan(0, headers.Length), hasKey, hasValue);
    }

    RecordBatchBuilder Builder(Partition partition, in RecordEntry record)
    {
        if (_building.TryGetValue(partition, out var at) && _builders[at].Size + Math.Max(0, record.Value.Length) < BatchBytes) return _builders[at];
        _building[partition] = at = _partitions.Count;
        _partitions.Add(partition);
        if (_builders.Count == at) _builders.Add(new());
        return _builders[at];
    }
}
