namespace IotGateway.Log.Space;

/// <summary>
/// Decides what goes when space has to be made: turn by turn, in each turn the oldest closed segments first (of one age, as after a repair, by their records' times), from the front of their partitions; when
/// a turn has no more of them, its active segments are closed, to go next time, before anything of a later turn. Pure but for the shelves it marks. What no turn
/// takes stays, whatever the need.
/// </summary>
static class DropPlan
{
    /// <param name="shelves">All partitions something may be taken of.</param>
    /// <param name="need">Bytes that have to go.</param>
    /// <param name="rollUpTo">Last turn in which active segments are closed.</param>
    /// <param name="most">Partitions to take something of, or to roll, at most.</param>
    /// <param name="now">The time, ms.</param>
    /// <returns>Whether any shelf was marked.</returns>
    public static bool Decide(IEnumerable<Shelf> shelves, long need, Turn rollUpTo, int most, long now)
    {
        var queue = new PriorityQueue<(Shelf Shelf, int Segment), (Turn, bool, long, long, int)>();
        var marked = new HashSet<Shelf>();
        var order = 0;
        Turn? rolled = null;
        void Offer(Shelf shelf, int segment)
        {
            if (segment < shelf.Segments.Length && shelf.TurnOf(segment, now) is { } turn)
                queue.Enqueue((shelf, segment), (turn, shelf.IsActive(segment), shelf.Segments[segment].LastAppend, shelf.Segments[segment].MaxTimestamp, order++));
        }
        foreach (var shelf in shelves) Offer(shelf, First(shelf));
        while (need > 0 && queue.TryDequeue(out var next, out var priority))
        {
            var ((shelf, at), turn) = (next, priority.Item1);
            if (rolled < turn) break;
            if (shelf.IsActive(at))
            {
                if (!shelf.Rolls || turn > rollUpTo) continue;
                (shelf.Roll, rolled) = (true, turn);
            }
            else
            {
                shelf.DropTo = shelf.EndOf(at);
                shelf.Taken = (shelf.Taken.First < 0 ? at : shelf.Taken.First, at);
                Offer(shelf, at + 1);
            }
            need -= shelf.Segments[at].Size;
            if (marked.Add(shelf) && marked.Count == most) break;
        }
        return marked.Count > 0;
    }

    static int First(Shelf shelf)
    {
        var at = 0;
        while (!shelf.IsActive(at) && shelf.EndOf(at) <= shelf.Start) at++;
        return at;
    }
}
