using System.Buffers.Binary;
using System.Runtime.InteropServices;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Session;

/// <summary>
/// Which QoS 1 messages are durable and may come again: packet identifier → hash, per batch, stored in the batch's own atomic append.
/// </summary>
/// <remarks>
/// Invariants:
/// 1. A message is dropped only if a durable (or earlier appended) message has the same identifier and the same hash, and either its
///    PUBACK was certainly not sent (then nothing else can bear the identifier), or the broker marks it DUP. A table of identifiers
///    alone would acknowledge messages never stored: brokers reuse the lowest free identifier at once.
/// 2. "Certainly not sent" is known within one connection by <c>acknowledged</c>, and after an orderly close by its stored value.
///    After a crash every entry is in doubt. The stored value is deleted in the first batch after it, hence before any PUBACK.
/// 3. Doubt ends when a PINGREQ sent after the PUBACK is answered: the entry goes, for the identifier is the broker's again.
/// 4. A key is deleted only when no entry of its batch is left.
/// One thread, but for the watermarks handed in.
/// </remarks>
sealed class Qos1Table
{
    const byte FormatVersion = 1;
    const int EntrySize = 2 + MessageHash.Size;

    readonly record struct Entry(UInt128 Hash, long Batch, bool Unsent);

    readonly Dictionary<ushort, Entry> _entries = [];
    readonly Dictionary<long, int> _live = []; // batch → entries that still point to it
    readonly Queue<(long Batch, ushort[] Ids)> _own = new(); // batches of this connection, oldest first
    readonly List<(ushort Id, UInt128 Hash)> _current = [];
    readonly List<StateChange> _orphans = []; // keys found empty on loading, deleted with the next batch
    int _distinct;

    /// <summary>Loads what earlier connections left.</summary>
    /// <param name="stored">Batch numbers and packed entries.</param>
    /// <param name="acknowledged">The last batch whose PUBACKs may have been sent; null when unknown.</param>
    public Qos1Table(IEnumerable<(long Batch, ReadOnlyMemory<byte> Packed)> stored, long? acknowledged)
    {
        foreach (var (batch, packed) in stored.OrderBy(s => s.Batch))
        {
            LastBatch = batch;
            var count = 0;
            foreach (var (id, hash) in Unpack(packed.Span))
            {
                if (!Forget(id, batch, _orphans)) count++;
                _entries[id] = new(hash, batch, acknowledged is { } a && batch > a);
            }
            _live[batch] = count;
        }
    }

    /// <summary>Highest batch number ever stored; the next batch takes the next.</summary>
    public long LastBatch { get; }

    /// <summary>Messages that may still come again.</summary>
    public int Count => _entries.Count;

    /// <summary>Judges a message for the batch being built.</summary>
    /// <param name="id">Its packet identifier.</param>
    /// <param name="hash">Its hash.</param>
    /// <param name="dup">Its DUP flag.</param>
    /// <param name="batch">The batch being built.</param>
    /// <param name="acknowledged">Last batch of this connection whose PUBACKs may have been sent.</param>
    /// <param name="state">Takes the deletion of keys that became empty.</param>
    public Verdict Judge(ushort id, UInt128 hash, bool dup, long batch, long acknowledged, List<StateChange> state)
    {
        var verdict = Verdict.Append;
        if (_entries.TryGetValue(id, out var known) && known.Hash == hash)
        {
            var own = known.Batch > LastBatch;
            if (own && known.Batch > acknowledged) return Verdict.Ignore;
            if (dup || known.Unsent) verdict = Verdict.AcknowledgeOnly;
        }
        if (!Forget(id, batch, state)) _distinct++;
        _entries[id] = new(hash, batch, Unsent: false);
        _current.Add((id, hash));
        return verdict;
    }

    /// <summary>Ends the batch: its entries as a state change, if it has any.</summary>
    public void Seal(long batch, List<StateChange> state)
    {
        state.AddRange(_orphans);
        _orphans.Clear();
        if (_current.Count == 0) return;
        var packed = new byte[1 + _current.Count * EntrySize];
        var ids = new ushort[_current.Count];
        packed[0] = FormatVersion;
        for (var i = 0; i < ids.Length; i++)
        {
            var at = packed.AsSpan(1 + i * EntrySize);
            BinaryPrimitives.WriteUInt16BigEndian(at, ids[i] = _current[i].Id);
            BinaryPrimitives.WriteUInt128BigEndian(at[2..], _current[i].Hash);
        }
        _current.Clear();
        (_live[batch], _distinct) = (_distinct, 0);
        _own.Enqueue((batch, ids));
        state.Add(new(SessionKeys.Qos1(batch), packed));
    }

    /// <summary>Whether <see cref="Settle"/> would find anything.</summary>
    public bool HasSettled(long certain) => _own.TryPeek(out var oldest) && oldest.Batch <= certain;

    /// <summary>Doubt has ended for this connection's batches up to <paramref name="certain"/>.</summary>
    public void Settle(long certain, List<StateChange> state)
    {
        while (_own.TryPeek(out var oldest) && oldest.Batch <= certain)
        {
            _own.Dequeue();
            foreach (var id in oldest.Ids)
                if (_entries.TryGetValue(id, out var entry) && entry.Batch == oldest.Batch) Forget(id, batch: -1, state);
        }
    }

    /// <summary>Removes an entry, and the key of its batch with the last one. True when the entry was of <paramref name="batch"/>,
    /// the one being built or loaded, whose count is not known yet.</summary>
    bool Forget(ushort id, long batch, List<StateChange> state)
    {
        if (!_entries.Remove(id, out var entry)) return false;
        if (entry.Batch == batch) return true;
        if (--CollectionsMarshal.GetValueRefOrNullRef(_live, entry.Batch) > 0) return false;
        _live.Remove(entry.Batch);
        state.Add(new(SessionKeys.Qos1(entry.Batch), null));
        return false;
    }

    static List<(ushort, UInt128)> Unpack(ReadOnlySpan<byte> packed)
    {
        if (packed.IsEmpty || packed[0] != FormatVersion || (packed.Length - 1) % EntrySize != 0)
            throw new InvalidDataException("Stored MQTT session state has a format this version does not know.");
        var entries = new List<(ushort, UInt128)>((packed.Length - 1) / EntrySize);
        for (var rest = packed[1..]; !rest.IsEmpty; rest = rest[EntrySize..])
            entries.Add((BinaryPrimitives.ReadUInt16BigEndian(rest), BinaryPrimitives.ReadUInt128BigEndian(rest[2..])));
        return entries;
    }
}
