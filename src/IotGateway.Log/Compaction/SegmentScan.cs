using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Compaction;

/// <summary>Reads a sealed segment from end to end, through a handle of its own. Not thread-safe.</summary>
/// <exception cref="InvalidDataException">The segment has something that is no batch: it is left alone.</exception>
sealed class SegmentScan(IDisk disk, Segment segment) : IDisposable
{
    const int Piece = 256 << 10;

    readonly IDiskFile _log = disk.Open(segment.LogPath, create: false);
    byte[] _buffer = new byte[Piece];
    long _position;
    int _at, _length;

    /// <summary>The batch stepped on; valid until the next step.</summary>
    public ReadOnlyMemory<byte> Current { get; private set; }

    public bool MoveNext()
    {
        if (_position + _at >= segment.Size) return false;
        Need(RecordBatch.HeaderSize);
        var size = new RecordBatch(_buffer.AsSpan(_at, _length - _at)).Size;
        if (size < RecordBatch.HeaderSize || size > segment.Size - _position - _at) throw Broken();
        Need(size);
        Current = _buffer.AsMemory(_at, size);
        if (!new RecordBatch(Current.Span).ChecksumHolds) throw Broken();
        _at += size;
        return true;
    }

    public void Dispose() => _log.Dispose();

    void Need(int bytes)
    {
        if (_length - _at >= bytes) return;
        _position += _at;
        _at = 0;
        if (bytes > _buffer.Length) _buffer = new byte[bytes];
        _length = _log.Read(_buffer.AsSpan(0, (int)Math.Min(_buffer.Length, segment.Size - _position)), _position);
        if (_length < bytes) throw Broken();
    }

    InvalidDataException Broken() => new($"'{segment.LogPath}' has no valid batch at position {_position + _at}. Run 'gateway log verify'.");
}
