using System.Collections.Immutable;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Scrub;

/// <summary>
/// Reads a segment from end to end and tells the good from the rotten, batch by batch. A batch is good when it has its place, its checksum holds, and its
/// base offset and leader epoch, which that checksum does not cover, are what was written: because the block's checksum says so, or because the
/// offset goes on where the batch before it ended (or ends where the next good one begins) and the epoch is the one of its time. Not thread-safe.
/// </summary>
/// <param name="log">The segment.</param>
/// <param name="segment">What is known of it.</param>
/// <param name="end">Offset that none of its records reaches.</param>
/// <param name="epochs">The partition's epochs.</param>
sealed class RotScan(RescueFile log, Segment segment, long end, ImmutableArray<EpochStart> epochs)
{
    /// <summary>The bytes of a header that no batch checksum covers.</summary>
    const int Uncovered = RecordBatch.MagicAt + 1;

    readonly List<BadRange> _ranges = [];
    readonly List<Found> _unsure = [];
    readonly byte[] _header = new byte[RecordBatch.HeaderSize];
    byte[] _bytes = new byte[SegmentSums.Block];
    long _next = segment.BaseOffset, _holeFrom = -1;

    /// <summary>Batches found good.</summary>
    public long Batches { get; private set; }

    /// <summary>Told of every good batch that is certain when it is met, in order.</summary>
    public Action<long, ReadOnlyMemory<byte>> Good { get; init; } = (_, _) => { };

    /// <summary>The rotten ranges, in order.</summary>
    public IReadOnlyList<BadRange> Run(CancellationToken ct)
    {
        var exact = false; // the first batch of a segment has its base offset, but in a compacted log
        for (long position = 0; position < log.Length;)
        {
            ct.ThrowIfCancellationRequested();
            if (At(position) is not { } found)
            {
                Lose(position);
                exact = false;
                position = Resume(position, ct);
                continue;
            }
            var trusted = log.Trusts(position, Uncovered);
            if (_holeFrom >= 0 && !trusted) _unsure.Add(found);
            else if (trusted || (exact ? found.Base == _next : found.Base == segment.BaseOffset) && found.Epoch == EpochAt(found.Base))
            {
                Settle(found.Base, position);
                Take(found);
                exact = true;
            }
            else
            {
                Lose(position);
                exact = false;
            }
            position += found.Size;
        }
        if (_holeFrom >= 0) Settle(end, log.Length);
        return _ranges;
    }

    void Take(Found found)
    {
        _next = found.Last + 1;
        Batches++;
        Good(found.Position, _bytes.AsMemory(0, found.Size));
    }

    void Lose(long position)
    {
        if (_holeFrom < 0) _holeFrom = position;
    }

    // What is good before a certain place, backwards from it as far as the offsets go without a break; the rest is the hole.
    void Settle(long offset, long position)
    {
        if (_holeFrom < 0) return;
        var from = _unsure.Count;
        var expected = offset;
        while (from > 0 && _unsure[from - 1] is var one && one.Last + 1 == expected && one.Base >= _next && one.Epoch == EpochAt(one.Base))
        {
            expected = one.Base;
            from--;
        }
        var resumed = from < _unsure.Count ? _unsure[from].Position : position;
        _ranges.Add(new(_holeFrom, resumed, _next, expected));
        Batches += _unsure.Count - from;
        _unsure.Clear();
        _holeFrom = -1;
    }

    // Where the next batch is: behind the one that should be here, if its length is right, else wherever one begins.
    long Resume(long position, CancellationToken ct)
    {
        var size = log.Read(_header, position) == _header.Length ? new RecordBatch(_header).Size : 0;
        if (size >= RecordBatch.HeaderSize && position + size < log.Length && At(position + size) is not null) return position + size;
        var window = new byte[SegmentSums.Block];
        for (var start = position + 1; start < log.Length; start += window.Length - RecordBatch.HeaderSize)
        {
            ct.ThrowIfCancellationRequested();
            var got = log.Read(window, start);
            for (var at = 0; at + RecordBatch.HeaderSize <= got; at++)
            {
                var next = window.AsSpan(at + RecordBatch.MagicAt, got - at - RecordBatch.MagicAt).IndexOf((byte)2);
                if (next < 0) break;
                at += next;
                if (at + RecordBatch.HeaderSize <= got && Plausible(new(window.AsSpan(at, got - at)), start + at) && At(start + at) is not null) return start + at;
            }
            if (got < window.Length) break;
        }
        return log.Length;
    }

    // The valid batch there, in _bytes.
    Found? At(long position)
    {
        if (log.Read(_header, position) < _header.Length || !Plausible(new(_header), position)) return null;
        var batch = new RecordBatch(_header);
        var size = batch.Size;
        if (_bytes.Length < size) _bytes = new byte[Math.Max(size, _bytes.Length * 2)];
        if (log.Read(_bytes.AsSpan(0, size), position) < size || !new RecordBatch(_bytes.AsSpan(0, size)).ChecksumHolds) return null;
        return new(position, size, batch.BaseOffset, batch.LastOffset, batch.LeaderEpoch);
    }

    bool Plausible(in RecordBatch batch, long position)
        => batch.Magic == 2 && batch.Size >= RecordBatch.HeaderSize && batch.Size <= log.Length - position && batch.LastOffsetDelta >= 0
            && batch.BaseOffset >= _next && batch.LastOffset < end;

    int EpochAt(long offset)
    {
        for (var i = epochs.Length - 1; i > 0; i--)
            if (epochs[i].Offset <= offset) return epochs[i].Epoch;
        return epochs[0].Epoch;
    }

    readonly record struct Found(long Position, int Size, long Base, long Last, int Epoch);
}
