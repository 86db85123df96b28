using IotGateway.Log.Bytes;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using IotGateway.Log.Transactions;

namespace IotGateway.Log.Compaction;

/// <summary>Writes a compacted segment and its indexes beside the old ones. Not thread-safe.</summary>
sealed class CleanedWriter : IDisposable
{
    const int Piece = 256 << 10;

    readonly IDisk _disk;
    readonly IDiskFile _log;
    readonly ByteWriter _bytes = new(Piece), _index = new(64), _timeIndex = new(64), _transactionIndex = new(0);
    readonly List<long> _forgotten = [];
    readonly SumsBuilder _sums = new();
    readonly int _interval;
    bool _indexed;
    long _written;

    public CleanedWriter(IDisk disk, string directory, IReadOnlyList<Segment> old, int interval = SegmentIndex.Interval)
    {
        (_disk, _interval) = (disk, interval);
        Result = new(Guid.NewGuid(), [.. old.Select(s => s.BaseOffset)], new(directory, old[0].BaseOffset)
        {
            Created = old[0].Created,
            LastAppend = old.Max(s => s.LastAppend),
            TransactionIndexBytes = old[0].TransactionIndexBytes,
            Sealed = true,
        }, _forgotten);
        _log = disk.Open(Result.Beside(Result.New.LogPath), create: true);
    }

    /// <summary>What is to be put in place of what.</summary>
    public Replacement Result { get; }

    /// <summary>From now on it has an index of transactions of its own; else it keeps that of the first old one.</summary>
    public void IndexTransactions()
    {
        _indexed = true;
        Result.New.TransactionIndexBytes = 0;
    }

    /// <summary>Adds the entry of an aborted transaction whose marker is in it.</summary>
    public void Add(AbortedTransaction ended) => ended.WriteEntry(_transactionIndex.Space(AbortedTransaction.EntrySize));

    /// <summary>Notes an aborted transaction whose marker is not in the new segment any more.</summary>
    public void Forget(AbortedTransaction ended) => _forgotten.Add(ended.LastOffset);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        var segment = Result.New;
        var batch = new RecordBatch(bytes);
        // An emptied batch has a time but no record of it, and a marker's is nobody's.
        if (batch.Count > 0 && !batch.IsControl && batch.MaxTimestamp > segment.MaxTimestamp) (segment.MaxTimestamp, segment.MaxTimestampOffset) = (batch.MaxTimestamp, batch.LastOffset);
        if (segment.BytesSinceIndex > _interval)
        {
            SegmentIndex.WriteEntry(_index.Space(SegmentIndex.EntrySize), batch.LastOffset - segment.BaseOffset, segment.Size);
            IndexTime();
            segment.BytesSinceIndex = 0;
        }
        segment.BytesSinceIndex += bytes.Length;
        segment.Size += bytes.Length;
        _bytes.Raw(bytes);
        if (_bytes.Length >= Piece) Flush();
    }

    /// <summary>Ends the segment and makes it durable; of one without bytes no file stays.</summary>
    public void Finish()
    {
        var segment = Result.New;
        if (segment.Size == 0)
        {
            Discard();
            return;
        }
        IndexTime();
        Flush();
        _log.Sync();
        (segment.IndexBytes, segment.TimeIndexBytes) = (_index.Length, _timeIndex.Length);
        WriteIndex(segment.IndexPath, _index);
        WriteIndex(segment.TimeIndexPath, _timeIndex);
        if (_indexed) segment.TransactionIndexBytes = _transactionIndex.Length;
        if (_transactionIndex.Length > 0) WriteIndex(segment.TransactionIndexPath, _transactionIndex);
        using (var file = _disk.Open(Result.Beside(segment.SumsPath), create: true))
        {
            _sums.Finish(Crc32C.Of(_index.Written.Span), Crc32C.Of(_timeIndex.Written.Span)).Write(file);
            file.Sync();
        }
        _disk.SyncDirectory(Path.GetDirectoryName(segment.LogPath)!);
    }

    /// <summary>Takes the files away again.</summary>
    public void Discard()
    {
        foreach (var path in Result.Made) _disk.Delete(Result.Beside(path));
    }

    public void Dispose() => _log.Dispose();

    void IndexTime()
    {
        var segment = Result.New;
        if (segment.MaxTimestamp <= segment.LastIndexedTime) return;
        SegmentIndex.WriteTimeEntry(_timeIndex.Space(SegmentIndex.TimeEntrySize), segment.MaxTimestamp, segment.MaxTimestampOffset - segment.BaseOffset);
        segment.LastIndexedTime = segment.MaxTimestamp;
    }

    void Flush()
    {
        if (_bytes.Length > 0) _log.Write(_bytes.Written.Span, _written);
        _sums.Add(_bytes.Written.Span);
        _written += _bytes.Length;
        _bytes.MoveTo(0);
    }

    void WriteIndex(string path, ByteWriter entries)
    {
        using var file = _disk.Open(Result.Beside(path), create: true);
        if (entries.Length > 0) file.Write(entries.Written.Span, 0);
        file.Sync();
    }
}
