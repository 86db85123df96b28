using System.Collections.Concurrent;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Testing;

/// <summary>What survives a crash in tests: batches appended, state by key, last values by device/tag.</summary>
public sealed class DurableStore
{
    readonly Lock _lock = new();

    /// <summary>State by key.</summary>
    public ConcurrentDictionary<string, ReadOnlyMemory<byte>> State { get; } = new();

    /// <summary>Last readings by <c>device/tag</c>.</summary>
    public ConcurrentDictionary<string, Reading> Last { get; } = new();

    /// <summary>Batches appended, in order.</summary>
    public List<SourceBatch> Batches { get; } = [];

    /// <summary>A snapshot of the appended readings.</summary>
    public IReadOnlyList<Reading> Readings { get { lock (_lock) return [.. Batches.SelectMany(b => b.Readings)]; } }

    /// <summary>A snapshot of the appended records.</summary>
    public IReadOnlyList<Record> Records { get { lock (_lock) return [.. Batches.SelectMany(b => b.Records)]; } }

    /// <summary>A snapshot of the gaps reported.</summary>
    public IReadOnlyList<Gap> Gaps { get { lock (_lock) return [.. Batches.SelectMany(b => b.Gaps)]; } }

    /// <summary>Appends a batch with its state in one step. Records and state are copied: a batch's memory is the connector's again afterwards.</summary>
    public void Append(SourceBatch batch)
    {
        lock (_lock)
        {
            Batches.Add(batch with { Records = [.. batch.Records.Select(Copy)], Readings = [.. batch.Readings], OnDurable = null });
            Apply(batch.State);
            foreach (var reading in batch.Readings) Last[reading.Tag.ToString()] = reading;
        }
    }

    /// <summary>Applies state changes.</summary>
    public void Apply(IReadOnlyList<StateChange> changes)
    {
        foreach (var change in changes)
            if (change.Value is { } value) State[change.Key] = value.ToArray();
            else State.TryRemove(change.Key, out _);
    }

    static Record Copy(Record r) => r with
    {
        Key = Copy(r.Key),
        Value = Copy(r.Value),
        Headers = [.. r.Headers.Select(h => new Header(h.Name, Copy(h.Value)))],
    };

    // A null array would become an empty memory.
    static ReadOnlyMemory<byte>? Copy(ReadOnlyMemory<byte>? bytes) => bytes is { } b ? b.ToArray().AsMemory() : (ReadOnlyMemory<byte>?)null;
}
