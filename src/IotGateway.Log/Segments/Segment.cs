using System.Globalization;
using IotGateway.Log.Scrub;

namespace IotGateway.Log.Segments;

/// <summary>
/// What is known of one segment without opening it. The applier changes it; readers see the sizes as of the last flush, never a file's length.
/// </summary>
sealed class Segment(string directory, long baseOffset)
{
    const int Hints = 4;

    long _size, _indexBytes, _timeIndexBytes, _maxTimestamp = -1;
    ReadHint?[]? _hints;
    string? _logPath, _indexPath, _timeIndexPath;
    int _nextHint;
    long _checkpoint;
    bool _sealed;
    Damage? _damage;

    public long BaseOffset { get; } = baseOffset;
    // Made when asked for: of a hundred thousand segments few are.
    public string LogPath => _logPath ??= PathOf(directory, BaseOffset, ".log");
    public string IndexPath => _indexPath ??= PathOf(directory, BaseOffset, ".index");
    public string TransactionIndexPath => PathOf(directory, BaseOffset, ".txnindex");
    public string TimeIndexPath => _timeIndexPath ??= PathOf(directory, BaseOffset, ".timeindex");
    public string SumsPath => PathOf(directory, BaseOffset, SegmentSums.Extension);

    /// <summary>Bytes that may be read.</summary>
    public long Size { get => Volatile.Read(ref _size); set => Volatile.Write(ref _size, value); }
    public long IndexBytes { get => Volatile.Read(ref _indexBytes); set => Volatile.Write(ref _indexBytes, value); }
    public long TimeIndexBytes { get => Volatile.Read(ref _timeIndexBytes); set => Volatile.Write(ref _timeIndexBytes, value); }
    /// <summary>0: there is no such file.</summary>
    public long TransactionIndexBytes { get; set; }
    /// <summary>Bytes of all its files.</summary>
    public long DiskBytes => Size + IndexBytes + TimeIndexBytes + TransactionIndexBytes;
    /// <summary>The segment's files that may be there.</summary>
    public string[] Paths => [LogPath, IndexPath, TimeIndexPath, TransactionIndexPath, SumsPath];
    public long MaxTimestamp { get => Volatile.Read(ref _maxTimestamp); set => Volatile.Write(ref _maxTimestamp, value); }

    /// <summary>Last offset of the batch that has the greatest timestamp.</summary>
    public long MaxTimestampOffset { get; set; } = -1;
    public long LastIndexedTime { get; set; } = -1;
    public int BytesSinceIndex { get; set; }
    /// <summary>When the first append came, by the log's clock (ms).</summary>
    public long Created { get; set; }
    /// <summary>
    /// When the last one came; from then on its age counts. Never from its records' times: a device in the year 2000 must not have its segment
    /// deleted at once, and one record stamped 2035 must not keep it.
    /// </summary>
    public long LastAppend { get; set; }
    /// <summary>Written since the last checkpoint.</summary>
    public bool Dirty { get; set; }
    /// <summary>Sequence of the checkpoint that has it, once that is on disk; while <see cref="Dirty"/>, of none.</summary>
    public long Checkpoint { get => Volatile.Read(ref _checkpoint); set => Volatile.Write(ref _checkpoint, value); }

    /// <summary>Nothing is appended any more.</summary>
    public bool Sealed { get => Volatile.Read(ref _sealed); set => Volatile.Write(ref _sealed, value); }
    /// <summary>Checksums of what has been written since it was made; null of a segment that was there at the start. The applier's; the housekeeper's, once it is sealed.</summary>
    public SumsBuilder? Summing { get; set; }
    /// <summary>Whether an index has been found wrong.</summary>
    public bool IndexFaulty { get; set; }
    /// <summary>What is known to be rotten; readers pass it over.</summary>
    public Damage? Damage { get => Volatile.Read(ref _damage); set => Volatile.Write(ref _damage, value); }

    public static string PathOf(string directory, long baseOffset, string extension)
        => Path.Combine(directory, baseOffset.ToString("D20", CultureInfo.InvariantCulture) + extension);

    /// <summary>Where a reader that reads on from <paramref name="offset"/> finds it, or -1.</summary>
    public long Hint(long offset)
    {
        foreach (var hint in Volatile.Read(ref _hints) ?? [])
            if (hint?.Offset == offset) return hint.Position;
        return -1;
    }

    public void Remember(long offset, long position)
    {
        var hints = Volatile.Read(ref _hints) ?? Interlocked.CompareExchange(ref _hints, new ReadHint?[Hints], null) ?? _hints;
        hints![(Interlocked.Increment(ref _nextHint) & int.MaxValue) % Hints] = new(offset, position);
    }

    sealed record ReadHint(long Offset, long Position);
}
