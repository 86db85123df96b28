using IotGateway.Log.Bytes;

namespace IotGateway.Log.Segments;

/// <summary>
/// A partition's segments as the checkpoint has them, unpacked when somebody asks for them: a start with a hundred thousand segments asks for those of few
/// partitions. Count i32 · bytes of all i64 · the newest append i64 · length i32 of what follows · of each segment, as packed numbers: base offset · size · bytes of index, time index,
/// transaction index · created · last append · greatest timestamp · its offset · last indexed time · bytes since the last index entry; base offset and
/// created less those of the segment before, the others of a kind less their neighbours. Immutable.
/// </summary>
sealed record PackedSegments(int Count, long Size, long Newest, ReadOnlyMemory<byte> Bytes)
{
    const int Least = 11; // bytes of a segment

    /// <summary>Writes a partition's segments.</summary>
    public static void Write(ByteWriter to, ReadOnlySpan<Segment> segments)
    {
        to.Int(segments.Length);
        long size = 0, newest = long.MinValue, offset = 0, created = 0;
        foreach (var segment in segments) (size, newest) = (size + segment.Size, Math.Max(newest, segment.LastAppend));
        to.Long(size);
        to.Long(newest);
        var at = to.Length;
        to.Int(0);
        foreach (var segment in segments)
        {
            to.Packed(segment.BaseOffset - offset);
            to.Packed(segment.Size);
            to.Packed(segment.IndexBytes);
            to.Packed(segment.TimeIndexBytes);
            to.Packed(segment.TransactionIndexBytes);
            to.Packed(segment.Created - created);
            to.Packed(segment.LastAppend - segment.Created);
            to.Packed(segment.MaxTimestamp - segment.LastAppend);
            to.Packed(segment.MaxTimestampOffset - segment.BaseOffset);
            to.Packed(segment.LastIndexedTime - segment.MaxTimestamp);
            to.Packed(segment.BytesSinceIndex);
            (offset, created) = (segment.BaseOffset, segment.Created);
        }
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(to.At(at, 4), to.Length - at - 4);
    }

    /// <summary>Writes them as they are.</summary>
    public void Write(ByteWriter to)
    {
        to.Int(Count);
        to.Long(Size);
        to.Long(Newest);
        to.Block(Bytes.Span);
    }

    /// <summary>Takes them without unpacking.</summary>
    /// <param name="from">Stands at them.</param>
    /// <param name="body">What it reads; kept until they are unpacked.</param>
    /// <exception cref="InvalidDataException">There cannot be so many.</exception>
    public static PackedSegments Read(ref ByteReader from, ReadOnlyMemory<byte> body)
    {
        var (count, size, newest) = (from.Count(Least), from.Long(), from.Long());
        var length = from.Block().Length;
        if ((long)count * Least > length) throw new InvalidDataException("A partition has fewer segments than it says.");
        return new(count, size, newest, body.Slice(from.Position - length, length));
    }

    /// <summary>The segments; all but the last are closed.</summary>
    /// <exception cref="LogFormatException">They are not what this program writes.</exception>
    public Segment[] Unpack(string directory)
    {
        var segments = new Segment[Count];
        Walk(directory, (i, segment) => segments[i] = segment);
        foreach (var closed in segments.AsSpan(0, Math.Max(Count - 1, 0))) closed.Sealed = true;
        return segments;
    }

    /// <summary>The last one; null when there is none.</summary>
    /// <exception cref="LogFormatException">They are not what this program writes.</exception>
    public Segment? Last(string directory)
    {
        Segment? last = null;
        Walk(directory, (_, segment) => last = segment);
        return last;
    }

    void Walk(string directory, Action<int, Segment> take)
    {
        try
        {
            var from = new ByteReader(Bytes.Span);
            long offset = 0, created = 0;
            for (var i = 0; i < Count; i++)
            {
                var segment = new Segment(directory, offset += from.Packed())
                {
                    Size = from.Packed(),
                    IndexBytes = from.Packed(),
                    TimeIndexBytes = from.Packed(),
                    TransactionIndexBytes = from.Packed(),
                    Created = created += from.Packed(),
                };
                segment.LastAppend = segment.Created + from.Packed();
                segment.MaxTimestamp = segment.LastAppend + from.Packed();
                segment.MaxTimestampOffset = segment.BaseOffset + from.Packed();
                segment.LastIndexedTime = segment.MaxTimestamp + from.Packed();
                segment.BytesSinceIndex = (int)from.Packed();
                take(i, segment);
            }
            if (!from.AtEnd) throw new InvalidDataException("There are bytes behind the last.");
        }
        catch (InvalidDataException e)
        {
            throw new LogFormatException($"The state file is whole, but what it says of the segments in '{directory}' makes no sense: {e.Message} Restore it from a backup.");
        }
    }
}
