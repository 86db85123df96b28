using System.Buffers.Binary;
using System.Text;

namespace IotGateway.Log.Tables;

/// <summary>
/// Who appended which offsets, for appends that say so. The durable table <c>log.origins</c>: topic id (16 bytes), partition (i32) and first offset
/// (i64, both big-endian) → last offset (i64, big-endian), then the text. An entry is in the frame of its records, before them, so that whoever can
/// read the records can read this; it goes with its offsets when the log's start passes them, or with the topic. Neighbours of one origin are one
/// entry. The applier (and recovery before it) writes; anyone reads.
/// </summary>
sealed class Origins
{
    public const string Table = "log.origins";
    const int KeySize = 16 + 4 + 8;
    readonly Lock _gate = new();
    readonly Dictionary<(Guid Topic, int Partition), List<Stretch>> _stretches = [];

    /// <summary>The text for an offset, or null.</summary>
    public string? Find(Guid topic, int partition, long offset)
    {
        lock (_gate)
        {
            if (!_stretches.TryGetValue((topic, partition), out var stretches)) return null;
            var at = Behind(stretches, offset) - 1;
            return at >= 0 && offset <= stretches[at].Last ? stretches[at].Text : null;
        }
    }

    /// <summary>Takes an entry of the table. Replaying one that is there changes nothing; else offsets only rise.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var place = (new Guid(key[..16]), BinaryPrimitives.ReadInt32BigEndian(key[16..]));
        var (first, last, text) = (BinaryPrimitives.ReadInt64BigEndian(key[20..]), BinaryPrimitives.ReadInt64BigEndian(value), Encoding.UTF8.GetString(value[8..]));
        lock (_gate)
        {
            if (!_stretches.TryGetValue(place, out var stretches)) _stretches[place] = stretches = [];
            var at = Behind(stretches, first);
            if (at > 0 && stretches[at - 1] is var before && before.Text == text && first <= before.Last + 1)
            {
                if (last > before.Last) stretches[at - 1] = before with { Last = last };
                return;
            }
            stretches.Insert(at, new(first, last, text));
        }
    }

    /// <summary>Forgets the offsets below a log's new start.</summary>
    public void Trim(Guid topic, int partition, long start)
    {
        lock (_gate)
            if (_stretches.TryGetValue((topic, partition), out var stretches) && stretches.RemoveAll(s => s.Last < start) > 0 && stretches.Count == 0)
                _stretches.Remove((topic, partition));
    }

    /// <summary>Forgets a topic.</summary>
    public void Drop(Guid topic)
    {
        lock (_gate)
            foreach (var place in _stretches.Keys.Where(k => k.Topic == topic).ToList()) _stretches.Remove(place);
    }

    /// <summary>The table's entries.</summary>
    public List<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan()
    {
        lock (_gate)
            return [.. from place in _stretches from s in place.Value select KeyValuePair.Create<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>(Key(place.Key.Topic, place.Key.Partition, s.First), Value(s.Last, s.Text))];
    }

    public static byte[] Key(Guid topic, int partition, long first)
    {
        var key = new byte[KeySize];
        topic.TryWriteBytes(key);
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(16), partition);
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(20), first);
        return key;
    }

    public static byte[] Value(long last, string text)
    {
        var value = new byte[8 + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteInt64BigEndian(value, last);
        Encoding.UTF8.GetBytes(text, value.AsSpan(8));
        return value;
    }

    /// <summary>Most bytes an entry takes in a frame.</summary>
    public static int Size(string? text) => text is null ? 0 : 1 + 4 + Table.Length + 4 + KeySize + 4 + 8 + Encoding.UTF8.GetByteCount(text);

    // How many begin at or before the offset.
    static int Behind(List<Stretch> stretches, long offset)
    {
        var (low, high) = (0, stretches.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (stretches[middle].First <= offset) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    readonly record struct Stretch(long First, long Last, string Text);
}
