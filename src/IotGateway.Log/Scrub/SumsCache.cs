using IotGateway.Log.Disk;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Scrub;

/// <summary>Checksums of the sealed segments read of late, at most a few MiB; the longest loaded goes first. Thread-safe.</summary>
sealed class SumsCache(IDisk disk)
{
    const int MostBytes = 4 << 20;

    readonly Lock _gate = new();
    readonly Dictionary<Segment, SegmentSums?> _known = [];
    readonly Queue<Segment> _order = [];
    int _weight;

    /// <summary>A sealed segment's checksums; null when it has none.</summary>
    public SegmentSums? Of(Segment segment)
    {
        lock (_gate)
            if (_known.TryGetValue(segment, out var known)) return known;
        var sums = SegmentSums.Read(disk, segment.SumsPath, segment.Size);
        lock (_gate)
        {
            if (!_known.TryAdd(segment, sums)) return sums;
            _order.Enqueue(segment);
            _weight += WeightOf(sums);
            while (_weight > MostBytes && _order.Count > 1)
            {
                _known.Remove(_order.Dequeue(), out var oldest);
                _weight -= WeightOf(oldest);
            }
            return sums;
        }
    }

    /// <summary>It has got checksums, or others.</summary>
    public void Forget(Segment segment)
    {
        lock (_gate)
        {
            if (!_known.Remove(segment, out var sums)) return;
            _weight -= WeightOf(sums);
            var left = _order.Where(s => s != segment).ToList();
            _order.Clear();
            left.ForEach(_order.Enqueue);
        }
    }

    static int WeightOf(SegmentSums? sums) => 128 + (sums?.Weight ?? 0);
}
