using IotGateway.Log.Segments;

namespace IotGateway.Log.Space;

/// <summary>Who still needs a partition's records from a position on, and how old they may become.</summary>
readonly record struct Hold(long Position, long MaxAgeMs);

/// <summary>A partition as <see cref="DropPlan"/> sees it: a snapshot.</summary>
/// <param name="segments">Its segments; the last is the active one.</param>
/// <param name="start">Log start as decided: what lies wholly below goes already.</param>
/// <param name="end">Offset after its last record, those under way included.</param>
/// <param name="rolls">Whether the active segment has anything and may be closed.</param>
/// <param name="lane">Its topic's.</param>
/// <param name="holds">Those who still need some of it.</param>
sealed class Shelf(Segment[] segments, long start, long end, bool rolls, TopicLane lane, IReadOnlyList<Hold> holds)
{
    public Segment[] Segments => segments;
    public long Start => start;
    public bool Rolls => rolls;

    /// <summary>New log start when the plan takes something of it.</summary>
    public long DropTo { get; set; } = -1;

    /// <summary>First and last segment taken.</summary>
    public (int First, int Last) Taken { get; set; } = (-1, -1);

    /// <summary>Whether the plan closes its active segment, to take it next.</summary>
    public bool Roll { get; set; }

    public bool IsActive(int segment) => segment == segments.Length - 1;

    /// <summary>Offset after the segment.</summary>
    public long EndOf(int segment) => IsActive(segment) ? end : segments[segment + 1].BaseOffset;

    /// <summary>Whether someone needs the segment who may still hold it.</summary>
    public bool IsHeld(int segment, long now)
    {
        Look(segment, now, out _, out var held);
        return held;
    }

    /// <summary>When its turn comes; null: never.</summary>
    public Turn? TurnOf(int segment, long now)
    {
        Look(segment, now, out var wanted, out var held);
        if (lane == TopicLane.Low) return wanted ? Turn.LowAhead : Turn.LowDone;
        var high = lane == TopicLane.High;
        if (!wanted) return high ? Turn.High : Turn.Normal;
        return held ? null : high ? Turn.HighOverdue : Turn.NormalOverdue;
    }

    void Look(int segment, long now, out bool wanted, out bool held)
    {
        var behind = EndOf(segment);
        var age = now - segments[segment].LastAppend;
        wanted = held = false;
        foreach (var (position, most) in holds)
        {
            if (position >= behind) continue;
            wanted = true;
            held |= age <= most;
        }
    }
}

/// <summary>The order of going (rule 13).</summary>
enum Turn
{
    /// <summary>Low lane, needed by nobody any more.</summary>
    LowDone,
    /// <summary>Low lane, though someone has not read it yet.</summary>
    LowAhead,
    /// <summary>Normal lane, needed by nobody.</summary>
    Normal,
    /// <summary>High lane, needed by nobody.</summary>
    High,
    /// <summary>Normal lane, needed for longer than its pins may hold it.</summary>
    NormalOverdue,
    /// <summary>The same of the high lane.</summary>
    HighOverdue,
}
