using IotGateway.Connectors.Modbus.Planning;
using IotGateway.Connectors.Modbus.Protocol;

namespace IotGateway.Connectors.Modbus.Polling;

/// <summary>
/// Tags of one unit, area and period, and the requests they are packed into. A request the device refuses is cut where that is
/// likeliest to separate good from bad, until the refused tags stand alone; when one of those works again, all is packed anew.
/// Owned by the poller's loop.
/// </summary>
internal sealed class PollGroup(UnitState unit, Area area, TimeSpan period, PlanRules rules, IEnumerable<TagTrack> tracks)
{
    readonly TagTrack[] _tracks = [.. tracks];

    /// <summary>The unit.</summary>
    public UnitState Unit { get; } = unit;

    /// <summary>The area.</summary>
    public Area Area { get; } = area;

    /// <summary>How often.</summary>
    public TimeSpan Period { get; } = period;

    /// <summary>The requests now in use.</summary>
    public List<PollBlock> Blocks { get; } = [];

    /// <summary>Packs all tags anew; quarantined ones stay alone. The old blocks are retired.</summary>
    public void Plan(long grid)
    {
        foreach (var old in Blocks) old.IsRetired = true;
        Blocks.Clear();
        var healthy = _tracks.Where(t => !t.IsQuarantined).ToArray();
        foreach (var request in Planner.Plan([.. healthy.Select(t => t.Point.Span)], rules))
            Blocks.Add(new(this, request.Span, [.. request.Items.Select(i => healthy[i])]) { Grid = grid });
        foreach (var track in _tracks.Where(t => t.IsQuarantined))
            Blocks.Add(new(this, track.Point.Span, [track]) { Grid = grid });
    }

    /// <summary>Cuts a refused block in two and returns them; none when its tags can not be told apart.</summary>
    public IReadOnlyList<PollBlock> Cut(PollBlock block)
    {
        if (CutAt(block.Tracks) is not { } at) return [];
        block.IsRetired = true;
        Blocks.Remove(block);
        PollBlock[] halves = [Part(block, block.Tracks[..at]), Part(block, block.Tracks[at..])];
        Blocks.AddRange(halves);
        return halves;
    }

    PollBlock Part(PollBlock whole, TagTrack[] tracks)
    {
        var start = tracks.Min(t => t.Point.Span.Start);
        return new(this, new(start, tracks.Max(t => t.Point.Span.End) - start), tracks) { Grid = whole.Grid };
    }

    // At the widest gap, for it may be the gap that does not exist; else in the middle.
    static int? CutAt(TagTrack[] tracks)
    {
        int? best = null;
        var (bestGap, bestDistance) = (int.MinValue, int.MaxValue);
        var end = tracks[0].Point.Span.End;
        for (var i = 1; i < tracks.Length; i++)
        {
            var (span, distance) = (tracks[i].Point.Span, Math.Abs(tracks.Length - 2 * i));
            var gap = span.Start - end;
            end = Math.Max(end, span.End);
            if (span == tracks[i - 1].Point.Span || gap < bestGap || (gap == bestGap && distance >= bestDistance)) continue;
            (best, bestGap, bestDistance) = (i, gap, distance);
        }
        return best;
    }
}
