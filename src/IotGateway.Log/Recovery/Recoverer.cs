using System.Runtime.InteropServices;
using IotGateway.Log.Commit;
using IotGateway.Log.Disk;
using IotGateway.Log.Topics;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging;

namespace IotGateway.Log.Recovery;

/// <summary>
/// Brings memory and segments to the state of the last good frame, before the threads start. Invariants: frames up to the first gap above the highest
/// recorded durable sequence are replayed; that gap and all behind it is cut; a gap at or below it is quarantined and what follows is replayed.
/// On a full disk, what cannot be put into segments yet is left to the applier and readable meanwhile.
/// Whatever is cut or quarantined is copied aside first and its place erased, so that it is never taken for valid later.
/// </summary>
sealed partial class Recoverer(IDisk disk, string directory, Catalog topics, Applier applier, Reserve reserve, ILogger logger) : IDisposable
{
    const long Slack = 1 << 20; // index entries, and what file systems round up
    const int MostHeld = 32 << 20; // of frames put into segments together: a file is opened once for many of them

    readonly List<QuarantinedRange> _quarantined = [];
    (string? Path, IDiskFile? File) _loading;
    readonly HashSet<Partition> _seen = [];
    readonly List<FramesAhead.Frame> _held = [];
    FramesAhead _ahead = null!;
    Task<WalScan> _scanning = null!;
    int _heldBytes;
    long _room;
    readonly Quarantine _kept = new(disk, directory);
    readonly string _wal = Path.Combine(directory, "wal");

    public IReadOnlyList<QuarantinedRange> Quarantined => _quarantined;

    /// <summary>Sequence of the last frame replayed (or cut or missing before it): the next is one above.</summary>
    public long Sequence { get; private set; }

    /// <summary>The log's clock in the newest frame replayed, ms; long ago without one.</summary>
    public long Newest { get; private set; } = long.MinValue;

    /// <summary>Frames replayed that hold anything.</summary>
    public int Replayed { get; private set; }

    /// <summary>Whether something was cut or quarantined, so that a checkpoint has to be made at once.</summary>
    public bool Repaired { get; private set; }

    /// <summary>Frames for which there is no space in the segments yet.</summary>
    public int Deferred { get; private set; }

    public WalScan Scan { get; private set; } = null!;

    /// <summary>Begins to read the write-ahead log, on another thread.</summary>
    /// <param name="state">The checkpoint's.</param>
    /// <param name="ct">Ends it between files.</param>
    public void Begin(RecoveredState state, CancellationToken ct)
    {
        Sequence = state.Sequence;
        _ahead = new(state.Sequence);
        _scanning = Task.Run(() =>
        {
            try
            {
                // The rename that put the state in place must be durable before write-ahead files behind it are used again.
                disk.SyncDirectory(directory);
                return WalScan.ReadDurable(disk, _wal, state.Sequence, state.Clean, _ahead.Put, ct);
            }
            finally
            {
                _ahead.End();
            }
        }, CancellationToken.None);
    }

    /// <summary>Replays what is found, once memory is as the checkpoint says.</summary>
    /// <param name="ct">Ends it between frames.</param>
    public void Run(CancellationToken ct)
    {
        var after = Sequence;
        ReplayAhead(ct);
        var index = (int)(Sequence - after);
        var buffer = Array.Empty<byte>();
        for (; index < Scan.Frames.Count; index++)
        {
            ct.ThrowIfCancellationRequested();
            var found = Scan.Frames[index];
            var missing = found.Header.Sequence - Sequence - 1;
            if (missing > 0 && found.Header.Sequence - 1 > Scan.Durable) break;
            if (missing > 0) Quarantine(Sequence + 1, found.Header.Sequence - 1);
            if (buffer.Length < found.Header.Length) buffer = new byte[Math.Max(found.Header.Length, buffer.Length * 2)];
            Load(found, buffer);
            Replay(buffer.AsMemory(0, found.Header.Length), found.Header, missing > 0);
            applier.Flush();
        }
        _loading.File?.Dispose();
        if (Sequence < Scan.Durable) Quarantine(Sequence + 1, Scan.Durable);
        Cut([.. Scan.Frames.Take(index)], [.. Scan.Frames.Skip(index)]);
        Sequence = Math.Max(Sequence, Scan.Durable);
    }

    // What follows the checkpoint without a gap, while the rest is still being read.
    void ReplayAhead(CancellationToken ct)
    {
        while (_ahead.Take(out var frame))
        {
            ct.ThrowIfCancellationRequested();
            Replay(frame.Bytes, frame.Header, afterGap: false);
            _held.Add(frame);
            if ((_heldBytes += frame.Header.Length) > MostHeld) Flush();
        }
        Flush();
        Scan = _scanning.GetAwaiter().GetResult();
    }

    /// <summary>Waits until nothing is read any more.</summary>
    public void Dispose()
    {
        if (_scanning is null) return;
        _ahead.End();
        Task.WaitAny([_scanning], CancellationToken.None);
    }

    void Flush()
    {
        applier.Flush();
        foreach (var frame in _held) _ahead.Return(frame);
        _held.Clear();
        _heldBytes = 0;
    }

    /// <summary>Tells which write-ahead files may be used again at once.</summary>
    public void Adopt(WalFiles files, long checkpoint)
    {
        foreach (var file in Scan.Files)
        {
            var last = Scan.Frames.Where(f => f.Path == file.Path).Select(f => f.Header.Sequence).DefaultIfEmpty(checkpoint).Max();
            if (file.Length != files.FileSize)
            {
                // Filling it was cut short, or the size was changed: filled anew, after a checkpoint has taken what it holds.
                Repaired |= last > checkpoint;
                continue;
            }
            files.Adopt(file.Index, free: last <= checkpoint, last, file.Header?.Generation ?? 0);
        }
    }

    void Load(in FoundFrame found, byte[] buffer)
    {
        if (_loading.Path != found.Path)
        {
            _loading.File?.Dispose();
            _loading = (found.Path, disk.OpenUncached(found.Path));
        }
        if (_loading.File!.Read(buffer.AsSpan(0, found.Header.Length), found.Position) < found.Header.Length)
            throw new InvalidDataException($"'{found.Path}' became shorter while it was read.");
    }

    void Replay(ReadOnlyMemory<byte> frame, in FrameHeader header, bool afterGap)
    {
        if (header.Length > FrameFormat.HeaderSize) Replayed++;
        var entries = new EntryReader(frame);
        while (entries.MoveNext()) Observe(entries, header);
        if (afterGap) Repaired = true;
        if (Deferred == 0 && HasRoom(frame.Length)) applier.Stage(frame, header.Time);
        else Defer(frame, header);
        (Sequence, Newest) = (header.Sequence, Math.Max(Newest, header.Time));
    }

    bool HasRoom(int bytes)
    {
        if ((_room -= bytes) > Slack) return true;
        applier.Flush(); // so that the disk counts it
        do _room = disk.FreeBytes(directory) / 2 - bytes;
        while (_room <= Slack && reserve.Release());
        return _room > Slack;
    }

    // The applier does it when there is space; until then the records are read from memory.
    void Defer(ReadOnlyMemory<byte> frame, in FrameHeader header)
    {
        applier.Flush();
        Deferred++;
        var cycle = new Cycle { Sequence = header.Sequence, Time = header.Time };
        cycle.Frame.Trim(0);
        cycle.Frame.Raw(frame.Span);
        var entries = new EntryReader(cycle.Frame.Written);
        while (entries.MoveNext())
        {
            if (entries.Kind != EntryKind.Append || Find(entries) is not { } partition) continue;
            MemoryMarshal.TryGetArray(entries.Bytes, out var place);
            cycle.Exposed.Add(new(partition, partition.Tail.NextOffset, place.Offset, place.Count));
        }
        applier.Defer(cycle);
    }

    // The committer's side of an entry, as the committer did it when it wrote it.
    void Observe(in EntryReader entry, in FrameHeader header)
    {
        switch (entry.Kind)
        {
            case EntryKind.Append when Find(entry) is { } partition:
                // Gone when the topic is deleted further on and that was done before: what is replayed here goes with it again.
                if (_seen.Add(partition) && !disk.Exists(partition.Files.Directory)) disk.CreateDirectory(partition.Files.Directory);
                if (entry.Offset > partition.Tail.NextOffset) Hole(partition, entry.Offset);
                partition.Tail.Replayed(entry.SegmentBase, entry.Bytes.Span, header.Time);
                break;
            case EntryKind.LogStart when Find(entry) is { } partition:
                partition.Tail.LogStart = entry.Offset;
                break;
            case EntryKind.Roll when Find(entry) is { } partition:
                partition.Tail.Rolled(entry.Offset, header.Time);
                break;
            case EntryKind.Epoch when Find(entry) is { } partition:
                partition.Tail.Epoch = entry.Epoch;
                break;
            default:
                applier.Registry.Announce(entry);
                break;
        }
    }

    void Hole(Partition partition, long next)
    {
        var (first, last) = _quarantined.Count > 0 ? (_quarantined[0].FirstSequence, _quarantined[^1].LastSequence) : (-1, -1);
        _quarantined.Add(new(first, last, partition.Topic.Name, partition.Index, partition.Tail.NextOffset, next));
        Log.Hole(logger, partition.Topic.Name, partition.Index, partition.Tail.NextOffset, next);
    }

    void Quarantine(long first, long last)
    {
        Repaired = true;
        _quarantined.Add(new(first, last));
        var copies = new List<string>();
        // The rot lies in a file with a broken frame or without a readable header: keep those whole.
        foreach (var file in Scan.Files.Where(f => f.Broken.Count > 0 || (f.Header is null && !f.Blank)))
            copies.Add(_kept.Keep(file.Path, 0, file.Length));
        Log.Quarantined(logger, first, last, string.Join(", ", copies));
    }

    // What lies above the last good frame: the broken frame of a torn write, and frames behind it.
    void Cut(List<FoundFrame> good, List<FoundFrame> behind)
    {
        foreach (var file in Scan.Files.Where(f => f.Header is not null))
        {
            var stale = behind.Where(f => f.Path == file.Path).Select(f => f.Position).ToList();
            var end = good.Where(f => f.Path == file.Path).Select(f => f.Position).DefaultIfEmpty(0).Max();
            stale.AddRange(file.Broken.Where(b => b > end));
            if (stale.Count == 0) continue;
            Repaired = true;
            var copy = _kept.Keep(file.Path, stale.Min(), file.Length);
            Erase(file.Path, stale);
            Log.Cut(logger, file.Path, stale.Min(), copy);
        }
    }

    void Erase(string path, List<long> positions)
    {
        using var file = disk.Open(path, create: false);
        var zeros = new byte[FrameFormat.Page];
        foreach (var position in positions) file.Write(zeros.AsSpan(0, (int)Math.Min(zeros.Length, file.Length - position)), position);
        file.Sync();
    }

    Partition? Find(in EntryReader entry)
        => topics.Taken(entry.Topic) is { } topic && entry.Number < topic.Committed.Count ? topic.Committed[entry.Number] : null;

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "Frames {First} to {Last} of the write-ahead log were durable and cannot be read: the disk has lost data. Copies for analysis: {Copies}. Check the disk.")]
        public static partial void Quarantined(ILogger logger, long first, long last, string copies);

        [LoggerMessage(Level = LogLevel.Error, Message = "Partition {Topic}-{Partition} lost offsets {From} up to {To} that way.")]
        public static partial void Hole(ILogger logger, string topic, int partition, long from, long to);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Cut an unfinished write at the end of '{File}' (position {Position}), as after a power loss; nothing acknowledged was in it. Copy: {Copy}.")]
        public static partial void Cut(ILogger logger, string file, long position, string copy);
    }
}
