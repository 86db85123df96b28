using System.Buffers.Binary;
using IotGateway.Log.Disk;

namespace IotGateway.Log.Segments;

/// <summary>
/// Kafka's index files, big-endian. <c>.index</c>: relative offset i32 of a batch's last record, position i32 of the batch; an entry about every
/// <c>index.interval.bytes</c>. <c>.timeindex</c>: greatest timestamp so far i64, relative offset i32 of the batch that has it; timestamps rise. Entries are hints:
/// what they point to is checked by the reader.
/// </summary>
static class SegmentIndex
{
    /// <summary>index.interval.bytes, unless the topic says otherwise.</summary>
    public const int Interval = 4096;
    public const int EntrySize = 8, TimeEntrySize = 12;

    public static void WriteEntry(Span<byte> to, long relativeOffset, long position)
    {
        BinaryPrimitives.WriteInt32BigEndian(to, checked((int)relativeOffset));
        BinaryPrimitives.WriteInt32BigEndian(to[4..], checked((int)position));
    }

    public static void WriteTimeEntry(Span<byte> to, long timestamp, long relativeOffset)
    {
        BinaryPrimitives.WriteInt64BigEndian(to, timestamp);
        BinaryPrimitives.WriteInt32BigEndian(to[8..], checked((int)relativeOffset));
    }

    /// <summary>Position of the last entry at or below the offset; 0 when there is none.</summary>
    public static long PositionAtOrBefore(IDiskFile index, long bytes, long relativeOffset)
    {
        Span<byte> entry = stackalloc byte[EntrySize];
        long low = 0, high = bytes / EntrySize - 1, position = 0;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (index.Read(entry, middle * EntrySize) < EntrySize) return 0;
            if (BinaryPrimitives.ReadInt32BigEndian(entry) <= relativeOffset)
            {
                position = BinaryPrimitives.ReadInt32BigEndian(entry[4..]);
                low = middle + 1;
            }
            else high = middle - 1;
        }
        return position;
    }

    /// <summary>Last entry whose timestamp is below <paramref name="timestamp"/>; null when there is none.</summary>
    public static (long Time, long RelativeOffset)? EntryBefore(IDiskFile timeIndex, long bytes, long timestamp)
    {
        Span<byte> entry = stackalloc byte[TimeEntrySize];
        long low = 0, high = bytes / TimeEntrySize - 1;
        (long, long)? found = null;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (timeIndex.Read(entry, middle * TimeEntrySize) < TimeEntrySize) return null;
            var time = BinaryPrimitives.ReadInt64BigEndian(entry);
            if (time < timestamp)
            {
                found = (time, BinaryPrimitives.ReadInt32BigEndian(entry[8..]));
                low = middle + 1;
            }
            else high = middle - 1;
        }
        return found;
    }
}
