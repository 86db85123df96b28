using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using IotGateway.Log.Bytes;
using IotGateway.Log.Disk;

namespace IotGateway.Log.Wal;

/// <summary>
/// The set of write-ahead files: which are free, which hold frames not checkpointed, and the one being written. The committer writes and
/// switches; the housekeeper fills new files with zeros and releases those behind a checkpoint. State is guarded by one lock.
/// </summary>
sealed class WalFiles : IDisposable
{
    public const int Count = 8;

    readonly IDisk _disk;
    readonly string _directory;
    readonly Slot[] _slots = new Slot[Count];
    readonly byte[] _page = new byte[FrameFormat.Page];
    readonly Lock _gate = new();
    Slot? _current;
    IDiskFile? _file;
    long _position, _started, _generation;
    bool _dirty, _begun;

    public WalFiles(IDisk disk, string directory, long fileSize)
    {
        (_disk, _directory, FileSize) = (disk, directory, fileSize);
        for (var i = 0; i < Count; i++) _slots[i] = new(Path.Combine(directory, NameOf(i)));
    }

    public long FileSize { get; }

    /// <summary>The largest frame that fits.</summary>
    public int MaxFrame => (int)Math.Min(FileSize - FrameFormat.Page, 1 << 30);

    public ulong Salt => _current?.Salt ?? throw new InvalidOperationException("No write-ahead file is open.");

    public static string NameOf(int index) => index.ToString("D2", CultureInfo.InvariantCulture) + ".wal";

    public static long FileSizeOf(LogOptions options)
        => Math.Clamp(options.WalBytes / Count, 64 << 10, 1 << 30) / FrameFormat.Page * FrameFormat.Page;

    /// <summary>Takes over what recovery found: a file is free when it is there in full and all its frames are behind the checkpoint.</summary>
    public void Adopt(int index, bool free, long lastSequence, long generation)
    {
        _generation = Math.Max(_generation, generation);
        _slots[index].State = free ? State.Free : State.Used;
        _slots[index].LastSequence = lastSequence;
    }

    /// <summary>Makes the next missing file, zero-filled and synced; false when all are there.</summary>
    public bool FillNext()
    {
        Slot? missing;
        lock (_gate) missing = Array.Find(_slots, s => s.State == State.Missing);
        if (missing is null) return false;
        try
        {
            Fill(missing);
        }
        catch (DiskException)
        {
            _disk.Delete(missing.Path); // a part of a file only takes space
            throw;
        }
        _disk.SyncDirectory(_directory);
        lock (_gate) missing.State = State.Free;
        return true;
    }

    void Fill(Slot missing)
    {
        using (var file = _disk.Open(missing.Path, create: true))
        {
            var zeros = new byte[Math.Min(FileSize, 1 << 20)];
            for (long at = 0; at < FileSize; at += zeros.Length)
                file.Write(zeros.AsSpan(0, (int)Math.Min(zeros.Length, FileSize - at)), at);
            file.SetLength(FileSize);
            file.Sync();
        }
    }

    /// <summary>Whether all files are there.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_gate) return Array.TrueForAll(_slots, s => s.State != State.Missing);
        }
    }

    public int Free
    {
        get
        {
            lock (_gate) return _slots.Count(s => s.State == State.Free);
        }
    }

    /// <summary>
    /// Whether there is a file to go on to. Of a whole set the last one is left for the next start, which so finds one free whatever this run came to, and
    /// need not write a checkpoint before it serves.
    /// </summary>
    public bool MayGoOn
    {
        get
        {
            lock (_gate) return _slots.Count(s => s.State == State.Free) > (_begun && Array.TrueForAll(_slots, s => s.State != State.Missing) ? 1 : 0);
        }
    }

    /// <summary>Files that hold frames, the one being written included.</summary>
    public int Used
    {
        get
        {
            lock (_gate) return _slots.Count(s => s.State == State.Used);
        }
    }

    public bool HasRoom(int length) => _current is not null && _position + FrameFormat.Padded(length) <= FileSize;

    /// <summary>Goes on to a free file, after syncing the present one; false when there is none.</summary>
    public bool TrySwitch(long firstSequence)
    {
        if (!MayGoOn) return false;
        _begun = true;
        Slot next;
        lock (_gate) next = Array.Find(_slots, s => s.State == State.Free)!;
        Sync();
        _file?.Dispose();
        _file = _disk.Open(next.Path, create: false);
        lock (_gate)
        {
            next.State = State.Used;
            next.LastSequence = firstSequence;
            _current = next;
        }
        next.Salt = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));
        FrameFormat.WriteFileHeader(_page, new(next.Salt, firstSequence, FileSize, ++_generation));
        _file.Write(_page, 0);
        _position = _started = FrameFormat.Page;
        _dirty = true;
        return true;
    }

    /// <summary>Writes a sealed frame; there must be room.</summary>
    public void Write(ByteWriter frame, long sequence)
    {
        _file!.Write(frame.Written.Span, _position);
        _position += FrameFormat.Padded(frame.Length);
        _dirty = true;
        lock (_gate) _current!.LastSequence = sequence;
    }

    /// <summary>Has the disk begin with what is written and need not be durable yet, once that is worth it.</summary>
    public void StartWriting()
    {
        if (_position - _started < IDiskFile.WorthStarting) return;
        _file!.StartWriting(_started, _position - _started);
        _started = _position;
    }

    /// <summary>Makes everything written durable. A failure is final.</summary>
    public void Sync()
    {
        if (!_dirty) return;
        _file!.Sync();
        _dirty = false;
        _started = _position;
    }

    /// <summary>Frees the files all of whose frames are at or below the checkpointed sequence, but for the one being written.</summary>
    public void Release(long sequence)
    {
        lock (_gate)
        {
            foreach (var slot in _slots)
                if (slot.State == State.Used && slot != _current && slot.LastSequence <= sequence) slot.State = State.Free;
        }
    }

    /// <summary>Lets the file being written be released too (the log is idle and all is checkpointed).</summary>
    public void Retire() => _current = null;

    public void Dispose() => _file?.Dispose();

    enum State { Missing, Free, Used }

    sealed class Slot(string path)
    {
        public string Path { get; } = path;
        public State State { get; set; }
        public ulong Salt { get; set; }
        public long LastSequence { get; set; }
    }
}
