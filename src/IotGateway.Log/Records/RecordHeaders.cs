using System.Collections;
using System.Text;

namespace IotGateway.Log.Records;

/// <summary>A record's headers, decoded as they are walked: name and value (null allowed), in order, names may repeat.</summary>
public readonly struct RecordHeaders : IEnumerable<KeyValuePair<string, ReadOnlyMemory<byte>?>>
{
    readonly ReadOnlyMemory<byte> _bytes;

    internal RecordHeaders(ReadOnlyMemory<byte> bytes, int count) => (_bytes, Count) = (bytes, count);

    /// <summary>How many.</summary>
    public int Count { get; }

    /// <summary>The value of the last header of that name; null when there is none or it is null.</summary>
    public ReadOnlyMemory<byte>? Last(string name)
    {
        ReadOnlyMemory<byte>? found = null;
        foreach (var header in this)
            if (header.Key == name) found = header.Value;
        return found;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, ReadOnlyMemory<byte>?>> GetEnumerator()
    {
        var position = 0;
        for (var i = 0; i < Count; i++)
        {
            var name = Field(ref position) ?? default;
            yield return new(Encoding.UTF8.GetString(name.Span), Field(ref position));
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    ReadOnlyMemory<byte>? Field(ref int position)
    {
        if (!Varint.TryRead(_bytes.Span, ref position, out var length)) throw new InvalidDataException("A record header is cut off.");
        if (length < 0) return null;
        var field = _bytes.Slice(position, (int)length);
        position += (int)length;
        return field;
    }
}
