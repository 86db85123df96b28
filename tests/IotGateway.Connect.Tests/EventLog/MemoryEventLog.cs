using System.Text;
using IotGateway.Connect.EventLog;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.EventLog;

/// <summary>An event log in memory that can be made slow, full or broken. Survives "restarts" of the worker over it.</summary>
sealed class MemoryEventLog : IEventLog
{
    readonly Lock _lock = new();
    readonly Dictionary<string, List<SinkRecord>[]> _topics = [];
    readonly Dictionary<(string, int, long), string> _origins = [];
    readonly Dictionary<(string, string), (byte[] Key, byte[] Value)> _tables = [];
    readonly Queue<Exception> _failures = [];
    TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    TaskCompletionSource? _held;
    Task _line = Task.CompletedTask;

    public int Partitions { get; init; } = 1;
    public bool Accepting { get; set; } = true;
    public Task<Exception> Failed => new TaskCompletionSource<Exception>().Task;
    public int Commits { get; private set; }

    /// <summary>Values that readers cannot open.</summary>
    public string? Unreadable { get; set; }

    /// <summary>Units with records of connectors that are not durable yet.</summary>
    public int Waiting { get; private set; }

    /// <summary>From now on nothing becomes durable until <see cref="Release"/>.</summary>
    public void Hold() => _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release()
    {
        var held = _held;
        _held = null;
        held?.TrySetResult();
    }

    /// <summary>The next commit with records of a connector fails.</summary>
    public void FailNext(Exception e)
    {
        lock (_lock) _failures.Enqueue(e);
    }

    public ValueTask<Task> SubmitAsync(EventUnit unit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (HasData(unit)) Waiting++;
            return new(_line = CommitAsync(_line, unit));
        }
    }

    async Task CommitAsync(Task before, EventUnit unit)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Yield();
        if (_held is { } held) await held.Task;
        lock (_lock)
        {
            if (HasData(unit)) Waiting--;
            if (HasData(unit) && _failures.TryDequeue(out var failure)) throw failure;
            foreach (ref readonly var record in unit.Records) Append(unit, record);
            foreach (ref readonly var put in unit.Puts)
            {
                var key = unit.SpanAt(put.Key).ToArray();
                var id = (put.Table, Convert.ToHexString(key));
                if (unit.At(put.Value) is { } value) _tables[id] = (key, value.ToArray());
                else _tables.Remove(id);
            }
            Commits++;
            (var changed, _changed) = (_changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
            changed.SetResult();
        }
    }

    static bool HasData(EventUnit unit)
    {
        foreach (ref readonly var record in unit.Records)
            if (!InternalTopics.All.Contains(record.Topic)) return true;
        return false;
    }

    void Append(EventUnit unit, in RecordEntry record)
    {
        var partitions = Topic(record.Topic);
        var key = unit.At(record.Key);
        var partition = key is { } k ? Murmur2.Partition(k.Span, partitions.Length) : 0;
        var headers = new List<Header>();
        foreach (var header in unit.HeadersOf(record)) headers.Add(new(header.Name, unit.At(header.Value) is { } v ? (ReadOnlyMemory<byte>?)v.ToArray() : null));
        if (unit.Origin is { } origin) _origins[(record.Topic, partition, partitions[partition].Count)] = origin;
        partitions[partition].Add(new()
        {
            Topic = record.Topic, Partition = partition, Offset = partitions[partition].Count, Timestamp = record.Timestamp,
            Key = key is { } kk ? (ReadOnlyMemory<byte>?)kk.ToArray() : null, Value = unit.At(record.Value) is { } vv ? (ReadOnlyMemory<byte>?)vv.ToArray() : null, Headers = headers,
        });
    }

    public string? OriginOf(string topic, int partition, long offset)
    {
        lock (_lock) return _origins.GetValueOrDefault((topic, partition, offset));
    }

    List<SinkRecord>[] Topic(string name)
        => _topics.TryGetValue(name, out var partitions) ? partitions : _topics[name] = [.. Enumerable.Range(0, Partitions).Select(_ => new List<SinkRecord>())];

    public ReadOnlyMemory<byte>? Get(string table, ReadOnlySpan<byte> key)
    {
        lock (_lock) return _tables.TryGetValue((table, Convert.ToHexString(key)), out var entry) ? (ReadOnlyMemory<byte>?)entry.Value : null;
    }

    public IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table)
    {
        lock (_lock) return [.. _tables.Where(t => t.Key.Item1 == table).Select(t => KeyValuePair.Create<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>(t.Value.Key, t.Value.Value))];
    }

    /// <summary>What a test says was lost.</summary>
    public IReadOnlyList<LostRange> Lost { get; set; } = [];

    public ValueTask<IReadOnlyList<LostRange>> LostAsync(CancellationToken ct) => new(Lost);

    public IReadOnlyList<LostRange> Dropped() => [];

    public event Action? RecordsDropped { add { } remove { } }

    /// <summary>As last said.</summary>
    public IReadOnlyList<ReaderPin> Pins { get; private set; } = [];

    public void Pin(IReadOnlyList<ReaderPin> pins) => Pins = pins;

    public IReadOnlyList<long> Ends(string topic)
    {
        lock (_lock) return _topics.TryGetValue(topic, out var partitions) ? [.. partitions.Select(p => (long)p.Count)] : [];
    }

    public ValueTask EnsureTopicsAsync(IReadOnlyList<string> topics, CancellationToken ct)
    {
        lock (_lock)
            foreach (var topic in topics) Topic(topic);
        return default;
    }

    public IEventReader Read(string consumer, Func<string, bool> filter, bool fromEnd) => new Reader(this, consumer, filter, fromEnd);

    /// <summary>All records of a topic.</summary>
    public IReadOnlyList<SinkRecord> Records(string topic)
    {
        lock (_lock) return _topics.TryGetValue(topic, out var partitions) ? [.. partitions.SelectMany(p => p)] : [];
    }

    /// <summary>Values of a topic's records as text.</summary>
    public IReadOnlyList<string> Texts(string topic) => [.. Records(topic).Select(r => Encoding.UTF8.GetString(r.Value!.Value.Span))];

    /// <summary>Waits until something holds of the log.</summary>
    public async Task UntilAsync(Func<bool> holds, string what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        for (;;)
        {
            Task changed;
            lock (_lock) changed = _changed.Task;
            if (holds()) return;
            try
            {
                await changed.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail("Never happened: " + what);
            }
        }
    }

    /// <summary>Puts records in as a client would.</summary>
    public Task ProduceAsync(string topic, params string[] values) => ProduceAsync(Connect.Commands.CommandDesk.Principal, topic, values);

    /// <summary>On behalf of a principal, or of nobody known.</summary>
    public async Task ProduceAsync(string? principal, string topic, string[] values)
    {
        var unit = new EventUnit { Origin = principal };
        foreach (var value in values)
        {
            unit.Begin(topic, 0);
            unit.Value(Encoding.UTF8.GetBytes(value));
            unit.End();
        }
        await this.CommitAsync(unit, CancellationToken.None);
    }

    bool IsUnreadable(SinkRecord record) => Unreadable is { } value && record.Value is { } bytes && Encoding.UTF8.GetString(bytes.Span) == value;

    sealed class Reader(MemoryEventLog log, string consumer, Func<string, bool> filter, bool fromEnd) : IEventReader
    {
        readonly Dictionary<(string, int), int> _at = [];
        readonly HashSet<string> _atStart = fromEnd ? [.. log._topics.Keys] : [];
        readonly List<byte[]> _lent = [];

        public long Lag
        {
            get
            {
                lock (log._lock) return log._topics.Where(t => filter(t.Key)).SelectMany(t => t.Value.Select((p, i) => p.Count - At(t.Key, i))).Sum();
            }
        }

        public async ValueTask<IReadOnlyList<SinkRecord>> ReadAsync(int maxRecords, int maxBytes, CancellationToken ct)
        {
            for (;;)
            {
                Task changed;
                lock (log._lock)
                {
                    changed = log._changed.Task;
                    var found = new List<SinkRecord>();
                    foreach (var (topic, partitions) in log._topics.Where(t => filter(t.Key)))
                        for (var i = 0; i < partitions.Length; i++)
                        {
                            var from = At(topic, i);
                            var taken = partitions[i].Skip(from).Take(maxRecords - found.Count).TakeWhile(r => !log.IsUnreadable(r)).ToList();
                            found.AddRange(taken);
                            _at[(topic, i)] = from + taken.Count;
                            if (found.Count > 0 || from == partitions[i].Count) continue;
                            _at[(topic, i)]++;
                            throw new UnreadableException(topic, i, from, new InvalidDataException("damaged"));
                        }
                    if (found.Count > 0) return [.. found.Select(r => r with { Key = Lend(r.Key), Value = Lend(r.Value) })];
                }
                await changed.WaitAsync(ct);
            }
        }

        int At(string topic, int partition)
        {
            if (_at.TryGetValue((topic, partition), out var at)) return at;
            if (log.Get("connect.positions", Key(topic, partition)) is { } stored) return (int)BitConverter.ToInt64(stored.Span);
            return _at[(topic, partition)] = _atStart.Contains(topic) ? log._topics[topic][partition].Count : 0;
        }

        byte[] Key(string topic, int partition) => Encoding.UTF8.GetBytes($"{consumer}\0{topic}\0{partition}");

        public void Settle(EventUnit unit, SinkRecord last)
            => unit.Put("connect.positions", Key(last.Topic, last.Partition), BitConverter.GetBytes(last.Offset + 1));

        public void Anchor(EventUnit unit)
        {
            lock (log._lock)
                foreach (var (topic, partitions) in log._topics.Where(t => filter(t.Key)))
                    for (var i = 0; i < partitions.Length; i++) unit.Put("connect.positions", Key(topic, i), BitConverter.GetBytes((long)At(topic, i)));
        }

        // Who looks at a record after all sees at once that it is gone.
        public void Release()
        {
            foreach (var bytes in _lent) Array.Fill(bytes, (byte)'!');
            _lent.Clear();
        }

        ReadOnlyMemory<byte>? Lend(ReadOnlyMemory<byte>? bytes)
        {
            if (bytes is not { } there) return null;
            _lent.Add(there.ToArray());
            return _lent[^1];
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
