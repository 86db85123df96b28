using System.Buffers.Binary;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Scrub;

/// <summary>Compares a segment's indexes with its batches, told in order: each entry must be one of them. Keeps nothing of them. Not thread-safe.</summary>
sealed class IndexFollower
{
    readonly Segment _segment;
    readonly byte[] _index, _timeIndex;
    int _at, _timeAt;
    bool _wrong;

    public IndexFollower(IDisk disk, Segment segment)
    {
        _segment = segment;
        _index = Bytes(disk, segment.IndexPath, segment.IndexBytes);
        _timeIndex = Bytes(disk, segment.TimeIndexPath, segment.TimeIndexBytes);
    }

    /// <summary>Whether an index has to be made anew; to be asked at the end.</summary>
    public bool Wrong => _wrong || _at < _index.Length || _timeAt < _timeIndex.Length;

    public void Follow(long position, in RecordBatch batch)
    {
        var relative = batch.LastOffset - _segment.BaseOffset;
        if (_at < _index.Length && BinaryPrimitives.ReadInt32BigEndian(_index.AsSpan(_at)) is var offset && offset <= relative)
        {
            _wrong |= offset != relative || BinaryPrimitives.ReadInt32BigEndian(_index.AsSpan(_at + 4)) != position;
            _at += SegmentIndex.EntrySize;
        }
        if (_timeAt < _timeIndex.Length && BinaryPrimitives.ReadInt32BigEndian(_timeIndex.AsSpan(_timeAt + 8)) is var timed && timed <= relative)
        {
            _wrong |= timed != relative || BinaryPrimitives.ReadInt64BigEndian(_timeIndex.AsSpan(_timeAt)) != batch.MaxTimestamp;
            _timeAt += SegmentIndex.TimeEntrySize;
        }
    }

    byte[] Bytes(IDisk disk, string path, long length)
    {
        var bytes = new byte[length];
        if (length == 0) return bytes;
        try
        {
            using var file = disk.Open(path, create: false);
            _wrong |= file.Read(bytes, 0) < length;
        }
        catch (DiskException e) when (Damage.IsRot(e))
        {
            _wrong = true;
        }
        return bytes;
    }
}
