namespace IotGateway.Log.Tables;

/// <summary>One durable table: bytes by bytes, in memory. The applier writes, anyone reads. Values handed out are never changed.</summary>
sealed class Table
{
    readonly Lock _gate = new();
    readonly Dictionary<byte[], byte[]> _entries = new(ByteKeys.Instance);
    readonly Dictionary<byte[], byte[]>.AlternateLookup<ReadOnlySpan<byte>> _byBytes;

    public Table() => _byBytes = _entries.GetAlternateLookup<ReadOnlySpan<byte>>();

    public int Count
    {
        get
        {
            lock (_gate) return _entries.Count;
        }
    }

    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        lock (_gate) return _byBytes.TryGetValue(key, out var value) ? value : null;
    }

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        lock (_gate) _byBytes[key] = value.ToArray();
    }

    public void Remove(ReadOnlySpan<byte> key)
    {
        lock (_gate) _byBytes.Remove(key);
    }

    public List<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan()
    {
        lock (_gate)
        {
            var all = new List<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>>(_entries.Count);
            foreach (var (key, value) in _entries) all.Add(new(key, value));
            return all;
        }
    }
}
