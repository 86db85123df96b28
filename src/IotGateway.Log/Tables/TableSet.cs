using System.Collections.Concurrent;
using IotGateway.Log.Bytes;

namespace IotGateway.Log.Tables;

/// <summary>All durable tables by name. The applier (and recovery before it) writes; anyone reads.</summary>
sealed class TableSet
{
    readonly ConcurrentDictionary<string, Table> _tables = new(StringComparer.Ordinal);

    /// <summary>The one table that is looked up by ranges.</summary>
    public Origins Origins { get; } = new();

    public byte[]? Get(string table, ReadOnlySpan<byte> key) => _tables.TryGetValue(table, out var found) ? found.Get(key) : null;

    public void Put(string table, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (table == Origins.Table) Origins.Put(key, value);
        else _tables.GetOrAdd(table, static _ => new()).Put(key, value);
    }

    public void Remove(string table, ReadOnlySpan<byte> key)
    {
        if (_tables.TryGetValue(table, out var found)) found.Remove(key);
    }

    public IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table)
        => table == Origins.Table ? Origins.Scan() : _tables.TryGetValue(table, out var found) ? found.Scan() : [];

    public void Write(ByteWriter to)
    {
        var tables = _tables.Select(t => (Name: t.Key, Entries: t.Value.Scan())).Append((Name: Origins.Table, Entries: Origins.Scan())).Where(t => t.Entries.Count > 0).ToList();
        to.Int(tables.Count);
        foreach (var (name, entries) in tables)
        {
            to.Text(name);
            to.Int(entries.Count);
            foreach (var (key, value) in entries)
            {
                to.Block(key.Span);
                to.Block(value.Span);
            }
        }
    }

    public void Read(ref ByteReader from)
    {
        for (var tables = from.Count(8); tables > 0; tables--)
        {
            var name = from.Text();
            for (var entries = from.Count(8); entries > 0; entries--)
            {
                var key = from.Block();
                Put(name, key, from.Block());
            }
        }
    }
}
