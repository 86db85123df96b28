using IotGateway.Log.Bytes;
using IotGateway.Log.Compaction;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Transactions;

namespace IotGateway.Log.Segments;

/// <summary>
/// The writing side of a partition's segments. Only the applier (before it, recovery) calls it: <see cref="Stage"/> for every append of a frame,
/// then <see cref="Flush"/>. Invariants: a segment holds only bytes whose frame is durable; its position follows from the checkpoint and the frames
/// alone, so a replay writes the same bytes to the same places; index entries are made as Kafka makes them.
/// </summary>
sealed class PartitionFiles(string directory, IDisk disk, FileCache files, SpaceWaiter space, List<Segment> dirty, FirstWrite first)
{
    /// <summary>Kafka's file with the topic's id.</summary>
    public const string Metadata = "partition.metadata";

    const int Page = 4096; // the kernel's
    readonly Lock _unpacking = new();
    readonly List<ReadOnlyMemory<byte>> _staged = [];
    readonly ByteWriter _index = new(0), _timeIndex = new(0), _transactionIndex = new(0);
    Segment[]? _segments = [];
    PackedSegments? _packed;
    long _stagedBytes, _stagedNext, _written, _size, _started;
    WritePhase _prepared;
    int _version, _flushes;
    bool _restored;

    public string Directory { get; } = directory;

    /// <summary>In order of their offsets; a snapshot.</summary>
    public Segment[] Segments => Volatile.Read(ref _segments) ?? Unpack();

    /// <summary>The segments while nobody has asked for them since the start.</summary>
    public PackedSegments? Packed => Volatile.Read(ref _packed);

    /// <summary>When the newest append came, ms; of an empty partition long ago.</summary>
    public long Newest
    {
        get
        {
            if (Packed is { } packed) return packed.Newest;
            var newest = long.MinValue;
            foreach (var segment in Segments) newest = Math.Max(newest, segment.LastAppend);
            return newest;
        }
    }

    /// <summary>Offset after the last record in the segments.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>Bytes of all segments.</summary>
    public long SizeBytes => Volatile.Read(ref _size);

    /// <summary>The segments, the bytes of one of them, and the offset behind them all, as of one moment.</summary>
    public (Segment[] Segments, long Size, long Written) At(Segment segment)
    {
        while (true)
        {
            var flushes = Volatile.Read(ref _flushes);
            var now = (Segments, segment.Size, Written);
            if (flushes == Volatile.Read(ref _flushes) && flushes % 2 == 0) return now;
            Thread.Yield();
        }
    }

    public bool HasStaged => _staged.Count > 0;

    /// <summary>Bytes between two index entries, as the topic's configuration in force says.</summary>
    public int IndexInterval { get; set; } = SegmentIndex.Interval;

    /// <summary>Takes over what the checkpoint says.</summary>
    public void Restore(PackedSegments segments, long written)
    {
        (_packed, _segments) = (segments, null);
        (_written, _size, _restored) = (written, segments.Size, segments.Count > 0);
    }

    /// <summary>Takes over what was found in the files.</summary>
    public void Restore(Segment[] segments, long written)
    {
        (_packed, _segments) = (null, segments);
        foreach (var segment in segments.AsSpan(0, Math.Max(segments.Length - 1, 0))) segment.Sealed = true;
        (_written, _size, _restored) = (written, segments.Sum(s => s.Size), segments.Length > 0);
    }

    // The applier and readers may come at once; all get the same.
    Segment[] Unpack()
    {
        lock (_unpacking)
        {
            if (_segments is { } unpacked) return unpacked;
            var segments = _packed!.Unpack(Directory);
            Volatile.Write(ref _segments, segments);
            Volatile.Write(ref _packed, null);
            return segments;
        }
    }

    /// <summary>Makes the directory; one that is there already belongs to a topic that is gone.</summary>
    public void Create(Guid topic)
    {
        while (true)
        {
            try
            {
                disk.CreateDirectory(Directory);
                using var metadata = disk.Open(Path.Combine(Directory, Metadata), create: true);
                metadata.Write(System.Text.Encoding.ASCII.GetBytes($"version: 0\ntopic_id: {KafkaId(topic)}\n"), 0);
                space.Succeeded();
                return;
            }
            catch (DiskException e) when (space.ShouldRetry(e)) { }
        }
    }

    /// <summary>Takes an append of the present frame; the bytes must stay until the flush.</summary>
    public void Stage(ReadOnlyMemory<byte> batches, long segmentBase, long time, PartitionTransactions transactions)
    {
        var segment = Segments is [.., var active] ? active : null;
        if (segment?.BaseOffset != segmentBase)
        {
            Flush();
            segment = Begin(segmentBase, time);
        }
        if (segment.Size == 0 && _staged.Count == 0) segment.Created = time;
        var position = segment.Size + _stagedBytes;
        for (var rest = batches.Span; !rest.IsEmpty;)
        {
            var batch = new RecordBatch(rest);
            Index(segment, batch, position);
            if (batch.IsControl && transactions.EndedAt(batch.BaseOffset) is { } aborted)
                aborted.WriteEntry(_transactionIndex.Space(AbortedTransaction.EntrySize));
            position += batch.Size;
            _stagedNext = batch.LastOffset + 1;
            rest = rest[batch.Size..];
        }
        _staged.Add(batches);
        _stagedBytes += batches.Length;
        segment.LastAppend = time;
    }

    /// <summary>Closes the active segment and begins a new one there; nothing when that is done or there is nothing to close.</summary>
    public void Roll(long baseOffset, long time)
    {
        // In a replay it may have been deleted already, and so have no bytes: it is closed all the same, for what deletes it follows.
        if (Segments.Length == 0 || Segments[^1].BaseOffset >= baseOffset) return;
        var segment = Begin(baseOffset, time);
        segment.LastAppend = time;
        Make(segment.LogPath);
        Make(segment.IndexPath);
        Make(segment.TimeIndexPath);
        _prepared = first.Phase;
        MarkDirty(segment);
    }

    /// <summary>Writes what was staged and lets readers see it.</summary>
    public void Flush()
    {
        if (_staged.Count == 0) return;
        var segment = Segments[^1];
        Check(segment);
        Write(segment.LogPath, segment.Size, _staged);
        Write(segment.IndexPath, segment.IndexBytes, _index);
        Write(segment.TimeIndexPath, segment.TimeIndexBytes, _timeIndex);
        if (_transactionIndex.Length > 0 || segment.TransactionIndexBytes > 0 || (_prepared != first.Phase && disk.Exists(segment.TransactionIndexPath)))
            Write(segment.TransactionIndexPath, segment.TransactionIndexBytes, _transactionIndex);
        _prepared = first.Phase;
        segment.IndexBytes += _index.Length;
        segment.TimeIndexBytes += _timeIndex.Length;
        segment.TransactionIndexBytes += _transactionIndex.Length;
        Volatile.Write(ref _flushes, _flushes + 1);
        Sum(segment);
        segment.Size += _stagedBytes;
        Volatile.Write(ref _size, _size + _stagedBytes);
        Volatile.Write(ref _written, _stagedNext);
        Volatile.Write(ref _flushes, _flushes + 1);
        StartWriting(segment);
        _index.MoveTo(0);
        _transactionIndex.MoveTo(0);
        _timeIndex.MoveTo(0);
        _staged.Clear();
        _stagedBytes = 0;
        MarkDirty(segment);
    }

    // Once the bytes are in the file, and while the processor has them at hand.
    void Sum(Segment segment)
    {
        if (segment.Summing is not { } summing) return;
        foreach (var part in _staged) summing.Add(part.Span);
    }

    /// <summary>Odd while segments are being replaced, and another number after: what was read across a change is read again.</summary>
    public int Version => Volatile.Read(ref _version);

    public void Changing() => Volatile.Write(ref _version, _version + 1);

    /// <summary>Takes a compacted or mended segment for old ones and returns those; null when they are not all there any more.</summary>
    public Segment[]? Take(Replacement replacement)
    {
        var segments = Segments;
        var at = Array.FindIndex(segments, s => s.BaseOffset == replacement.Old[0]);
        var count = replacement.Old.Count;
        if (at < 0 || at + count >= segments.Length) return null;
        var old = segments[at..(at + count)];
        if (!old.Select(s => s.BaseOffset).SequenceEqual(replacement.Old)) return null;
        Volatile.Write(ref _size, _size - old.Sum(s => s.Size) + replacement.New.Size);
        Volatile.Write(ref _segments, [.. segments[..at], .. replacement.New.Size > 0 ? [replacement.New] : Array.Empty<Segment>(), .. segments[(at + count)..]]);
        if (replacement.New.Size > 0) MarkDirty(replacement.New);
        return old;
    }

    /// <summary>All frames are replayed: cuts what lies behind them, unless there is no space for the copy; then the first write does it.</summary>
    public void EndReplay()
    {
        if (_prepared == WritePhase.None || Segments.Length == 0) return;
        try
        {
            first.Cut(Segments[^1].LogPath, Segments[^1].Size);
        }
        catch (DiskException e) when (e.IsFull)
        {
            _prepared = WritePhase.None;
        }
    }

    /// <summary>Takes out the segments wholly below the log start; their files are the caller's to delete once that is checkpointed.</summary>
    public List<Segment> DropBelow(long logStart)
    {
        var (segments, count) = (Segments, 0);
        while (count + 1 < segments.Length && segments[count + 1].BaseOffset <= logStart) count++;
        var dropped = segments[..count].ToList();
        if (count > 0)
        {
            Volatile.Write(ref _size, _size - dropped.Sum(s => s.Size));
            Volatile.Write(ref _segments, segments[count..]);
        }
        return dropped;
    }

    Segment Begin(long baseOffset, long time)
    {
        var segments = Segments;
        Seal(segments is [.., var active] ? active : null);
        var segment = new Segment(Directory, baseOffset) { Created = time, Summing = new() };
        Volatile.Write(ref _segments, [.. segments, segment]);
        _prepared = WritePhase.None;
        _started = 0;
        return segment;
    }

    // Little by little, so that a checkpoint need not wait for all of it at once, and who appends meanwhile for the checkpoint.
    void StartWriting(Segment segment)
    {
        var whole = segment.Size / Page * Page; // a page still being filled would be written twice
        if (whole - _started < IDiskFile.WorthStarting) return;
        using (var lease = files.Rent(segment.LogPath, create: false)) lease.File.StartWriting(_started, whole - _started);
        _started = whole;
    }

    /// <summary>Whose a partition's directory is, by its metadata file; null when that cannot be told.</summary>
    public static Guid? ReadId(IDisk disk, string directory)
    {
        var path = Path.Combine(directory, Metadata);
        if (!disk.Exists(path)) return null;
        using var file = disk.Open(path, create: false);
        var bytes = new byte[Math.Min(file.Length, 256)];
        var text = System.Text.Encoding.ASCII.GetString(bytes, 0, file.Read(bytes, 0));
        var line = text.Split('\n').FirstOrDefault(l => l.StartsWith("topic_id:", StringComparison.Ordinal));
        if (line is null) return null;
        Span<byte> id = stackalloc byte[16];
        return Convert.TryFromBase64String(line[9..].Trim().Replace('-', '+').Replace('_', '/') + "==", id, out var length) && length == 16 ? new Guid(id, bigEndian: true) : null;
    }

    // As Kafka writes ids: base 64 in its URL-safe letters, without padding.
    static string KafkaId(Guid id)
        => Convert.ToBase64String(id.ToByteArray(bigEndian: true)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    void Index(Segment segment, in RecordBatch batch, long position)
    {
        // A marker's time is nobody's: who asks for a time wants a record.
        if (batch.MaxTimestamp > segment.MaxTimestamp && !batch.IsControl)
        {
            segment.MaxTimestamp = batch.MaxTimestamp;
            segment.MaxTimestampOffset = batch.LastOffset;
        }
        if (segment.BytesSinceIndex > IndexInterval)
        {
            SegmentIndex.WriteEntry(_index.Space(SegmentIndex.EntrySize), batch.LastOffset - segment.BaseOffset, position);
            IndexTime(segment);
            segment.BytesSinceIndex = 0;
        }
        segment.BytesSinceIndex += batch.Size;
    }

    void IndexTime(Segment segment)
    {
        if (segment.MaxTimestamp <= segment.LastIndexedTime) return;
        SegmentIndex.WriteTimeEntry(_timeIndex.Space(SegmentIndex.TimeEntrySize), segment.MaxTimestamp, segment.MaxTimestampOffset - segment.BaseOffset);
        segment.LastIndexedTime = segment.MaxTimestamp;
    }

    // As Kafka does when a segment becomes inactive: its greatest timestamp is the last entry.
    void Seal(Segment? segment)
    {
        if (segment is null) return;
        Check(segment);
        if (_prepared != WritePhase.Run) first.Cut(segment.LogPath, segment.Size);
        IndexTime(segment);
        Write(segment.TimeIndexPath, segment.TimeIndexBytes, _timeIndex);
        segment.TimeIndexBytes += _timeIndex.Length;
        _timeIndex.MoveTo(0);
        segment.Sealed = true;
        MarkDirty(segment);
    }

    // Once since the start: a start itself looks at no segment that its frames do not touch.
    void Check(Segment segment)
    {
        if (!_restored) return;
        _restored = false;
        first.Check(segment);
    }

    void MarkDirty(Segment segment)
    {
        if (segment.Dirty) return;
        segment.Dirty = true;
        dirty.Add(segment);
    }

    void Make(string path)
    {
        while (true)
        {
            try
            {
                first.Prepare(path, 0);
                using var lease = files.Rent(path, create: true);
                space.Succeeded();
                return;
            }
            catch (DiskException e) when (space.ShouldRetry(e)) { }
        }
    }

    void Write(string path, long position, ByteWriter entries)
    {
        if (entries.Length > 0 || _prepared != first.Phase) Write(path, position, [entries.Written]);
    }

    void Write(string path, long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        while (true)
        {
            try
            {
                if (_prepared != first.Phase) first.Prepare(path, position);
                using var lease = files.Rent(path, create: true);
                lease.File.Write(parts, position);
                space.Succeeded();
                return;
            }
            catch (DiskException e) when (space.ShouldRetry(e)) { }
        }
    }
}
