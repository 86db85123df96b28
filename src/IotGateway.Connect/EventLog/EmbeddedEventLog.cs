using System.Collections.Concurrent;
using IotGateway.Connect.Configs;
using IotGateway.Log;
using IotGateway.Log.Records;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.EventLog;

/// <summary>
/// The event log in this process, over <see cref="LogStore"/>: the same records every Kafka client sees. Missing topics are made as
/// gateway.json says. Thread-safe. Does not own the store.
/// </summary>
public sealed class EmbeddedEventLog(LogStore store, GatewayConfig gateway, ILogger<EmbeddedEventLog> logger) : IEventLog
{
    const int Attempts = 5; // of a unit whose topic is deleted again and again under it
    const long KeptBytes = 4 << 20;
    readonly ConcurrentBag<UnitBatches> _spare = [];
    volatile GatewayConfig _gateway = gateway;
    uint _keyless;

    /// <summary>
    /// Goes by this gateway.json from now on: new topics are made by it, and what its rules say otherwise than those that were last in force reaches the topics
    /// there are (see <see cref="TopicRuleBook"/>).
    /// </summary>
    public Task ReconfigureAsync(GatewayConfig next, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(next);
        _gateway = next;
        return new TopicRuleBook(store, logger).ApplyAsync(next.Topics, ct);
    }

    public bool Accepting => store.Accepting;

    public Task<Exception> Failed => store.Failed;

    public async ValueTask<Task> SubmitAsync(EventUnit unit, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(unit);
        await EnsureTopicsAsync(unit, ct).ConfigureAwait(false);
        return Commit(unit);
    }

    public ReadOnlyMemory<byte>? Get(string table, ReadOnlySpan<byte> key) => store.Get(table, key);

    public IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table) => store.Scan(table);

    public IEventReader Read(string consumer, Func<string, bool> filter, bool fromEnd) => new EmbeddedReader(store, consumer, filter, fromEnd, logger);

    public ValueTask EnsureTopicsAsync(IReadOnlyList<string> topics, CancellationToken ct) => CreateAsync(topics, Lane.Normal, ct);

    public async ValueTask<IReadOnlyList<LostRange>> LostAsync(CancellationToken ct)
    {
        var lost = new List<LostRange>();
        foreach (var hole in store.Quarantined)
        {
            if (!hole.Key.IsEmpty || hole.Topic is not { } topic || store.Find(topic)?.Partitions.ElementAtOrDefault(hole.Partition) is not { } partition) continue;
            var from = await TimeAsync(partition, hole.FromOffset - 1, ct).ConfigureAwait(false);
            var to = await TimeAsync(partition, hole.ToOffset, ct).ConfigureAwait(false);
            lost.Add(new(topic, hole.Partition, hole.FromOffset, hole.ToOffset, from, to));
        }
        return lost;
    }

    public event Action? RecordsDropped
    {
        add
        {
            store.RecordsDropped += value;
            store.RecordsQuarantined += value;
        }
        remove
        {
            store.RecordsDropped -= value;
            store.RecordsQuarantined -= value;
        }
    }

    public IReadOnlyList<LostRange> Dropped()
    {
        var lost = new List<LostRange>();
        foreach (var range in store.Dropped)
        {
            var next = new LostRange(range.Topic, range.Partition, range.FromOffset, range.ToOffset, range.From.UtcDateTime, range.To.UtcDateTime,
                range.DiskFull ? LostRange.DiskFull : LostRange.DiskBudget) { Untold = (DroppedRange.Table, [range.Key]) };
            // What went bit by bit is told as one.
            if (lost.Count > 0 && lost[^1] is var last && (last.Topic, last.Partition, last.ToOffset, last.Reason) == (next.Topic, next.Partition, next.FromOffset, next.Reason))
                lost[^1] = last with { ToOffset = next.ToOffset, To = next.To, Untold = (DroppedRange.Table, [.. last.Untold.Keys, range.Key]) };
            else lost.Add(next);
        }
        // What the start has found is told by itself.
        foreach (var hole in store.Quarantined)
            if (hole is { Topic: { } topic, From: { } from, To: { } to })
                lost.Add(new(topic, hole.Partition, hole.FromOffset, hole.ToOffset, from.UtcDateTime, to.UtcDateTime) { Untold = (QuarantinedRange.Table, [hole.Key]) });
        return lost;
    }

    public void Pin(IReadOnlyList<ReaderPin> pins)
        => store.Pins = [.. pins.Select(p => new Pin(p.Consumer, p.MaxAge, partition => p.Filter(partition.Topic.Name) ? EmbeddedReader.Stored(store, p.Consumer, partition) ?? 0 : null))];

    /// <summary>Time of the batch that holds an offset; now, where there is none.</summary>
    static async ValueTask<DateTime> TimeAsync(Partition partition, long offset, CancellationToken ct)
    {
        if (offset >= partition.LogStart && offset < partition.HighWatermark)
        {
            var slice = await partition.ReadAsync(offset, 1, ct).ConfigureAwait(false);
            if (!slice.Batches.IsEmpty) return DateTimeOffset.FromUnixTimeMilliseconds(new RecordBatch(slice.Batches.Span).MaxTimestamp).UtcDateTime;
        }
        return TimeProvider.System.GetUtcNow().UtcDateTime;
    }

    public string? OriginOf(string topic, int partition, long offset) => store.Find(topic)?.Partitions.ElementAtOrDefault(partition)?.OriginOf(offset);

    public IReadOnlyList<long> Ends(string topic) => [.. (store.Find(topic)?.Partitions ?? []).Select(p => p.HighWatermark)];

    // Synchronous up to the log's queue: the caller's order is the order of the calls.
    Task Commit(EventUnit unit)
    {
        if (!_spare.TryTake(out var batches)) batches = new();
        try
        {
            // Each unit's keyless records stay together, the next unit's go to the next partition.
            batches.Build(unit, Existing, Interlocked.Increment(ref _keyless));
        }
        catch (UnknownTopicException)
        {
            batches.Clear();
            return AgainAsync(unit, batches);
        }
        return DurableAsync(unit, batches, store.CommitAsync(batches.Unit, CancellationToken.None));
    }

    async Task DurableAsync(EventUnit unit, UnitBatches batches, ValueTask<IReadOnlyList<AppendResult>> committing)
    {
        for (var attempt = 1; ; attempt++)
        {
            var results = await committing.ConfigureAwait(false);
            if (Error(results) is not { } error) break;
            if (error != AppendError.UnknownPartition || attempt == Attempts)
                throw new InvalidOperationException($"The log refused a unit of {unit.Count} records and {unit.Bytes} bytes: {error}.");
            // Somebody deleted a topic while the unit was on its way: it is made again.
            batches.Clear();
            await EnsureTopicsAsync(unit, CancellationToken.None).ConfigureAwait(false);
            batches.Build(unit, Existing, Interlocked.Increment(ref _keyless));
            committing = store.CommitAsync(batches.Unit, CancellationToken.None);
        }
        // One giant unit must not hold its memory for good.
        if (batches.Bytes > KeptBytes) return;
        batches.Clear();
        _spare.Add(batches);
    }

    async Task AgainAsync(EventUnit unit, UnitBatches batches)
    {
        await EnsureTopicsAsync(unit, CancellationToken.None).ConfigureAwait(false);
        batches.Build(unit, Existing, Interlocked.Increment(ref _keyless));
        await DurableAsync(unit, batches, store.CommitAsync(batches.Unit, CancellationToken.None)).ConfigureAwait(false);
    }

    Topic Existing(string name) => store.Find(name) ?? throw new UnknownTopicException(name);

    ValueTask EnsureTopicsAsync(EventUnit unit, CancellationToken ct)
    {
        string? known = null;
        List<string>? missing = null;
        foreach (ref readonly var record in unit.Records)
        {
            if (ReferenceEquals(record.Topic, known)) continue;
            known = record.Topic;
            if (store.Find(record.Topic) is null) (missing ??= []).Add(record.Topic);
        }
        return missing is null ? ValueTask.CompletedTask : CreateAsync(missing, unit.Lane, ct);
    }

    async ValueTask CreateAsync(IReadOnlyList<string> topics, Lane lane, CancellationToken ct)
    {
        foreach (var topic in topics.Distinct(StringComparer.Ordinal))
        {
            if (store.Find(topic) is not null) continue;
            var (partitions, config) = TopicSettings.For(_gateway, topic, lane);
            try
            {
                await store.CreateTopicAsync(topic, partitions, config, ct).ConfigureAwait(false);
            }
            catch (TopicExistsException)
            {
                // Somebody else was quicker.
            }
        }
    }

    static AppendError? Error(IReadOnlyList<AppendResult> results)
    {
        for (var i = 0; i < results.Count; i++)
            if (results[i].Error is not AppendError.None and not AppendError.DuplicateSequence) return results[i].Error;
        return null;
    }
}
