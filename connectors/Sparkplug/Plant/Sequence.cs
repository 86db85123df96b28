namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>
/// The order of one edge node's messages: numbers 0 to 255 that go round (Sparkplug 3.0 §6.4.19). What comes early is held until what is
/// missing comes or the time for it is over. One thread.
/// </summary>
sealed class Sequence
{
    const int Round = 256;
    const int MostAhead = 64; // held at most, and how far ahead counts as early; beyond it messages are missing for sure
    const long MostBytes = 1 << 20;

    readonly SortedDictionary<int, Message> _held = []; // by distance from _base
    int _base; // number of distance 0
    long _bytes; // held
    int _next; // distance of the number expected next

    /// <summary>Since when something is held, by <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long HeldSince { get; private set; }

    /// <summary>Messages held.</summary>
    public int Held => _held.Count;

    /// <summary>Begins with a birth. What is held stays held only if it was sent after the birth; what was sent before is returned.</summary>
    public IReadOnlyList<Message> Begin(int birth, ulong? sent)
    {
        var held = _held.Values.ToArray();
        _held.Clear();
        (_base, _next) = ((birth + 1) % Round, 0);
        var before = new List<Message>();
        foreach (var message in held)
            if (sent is { } s && message.Payload.HasTimestamp && message.Payload.Timestamp >= s && Distance(message) is >= 0 and < MostAhead and var distance) _held[distance] = message;
            else before.Add(message);
        return before;
    }

    /// <summary>Where a message stands: in its place, early (it is held now), missing others, or late.</summary>
    public SequenceStep Take(Message message, long now)
    {
        var distance = Distance(message);
        if (distance == _next)
        {
            _next++;
            return SequenceStep.InPlace;
        }
        if (distance < _next || _held.ContainsKey(distance)) return SequenceStep.Late;
        if (distance - _next > MostAhead || _held.Count >= MostAhead || _bytes + message.Raw.Length > MostBytes) return SequenceStep.Missing;
        if (_held.Count == 0) HeldSince = now;
        // A copy: what waits must not keep the whole chunk alive that it came in.
        _held[distance] = message with { RawTopic = message.RawTopic.ToArray(), Raw = message.Raw.ToArray() };
        _bytes += message.Raw.Length;
        return SequenceStep.Held;
    }

    /// <summary>The next of those held whose turn it is.</summary>
    public bool TryNext(out Message message)
    {
        message = null!;
        if (_held.Count == 0) return false;
        var (distance, first) = _held.First();
        if (distance != _next) return false;
        _held.Remove(distance);
        _bytes = _held.Count == 0 ? 0 : _bytes - first.Raw.Length;
        _next++;
        message = first;
        return true;
    }

    /// <summary>Gives up waiting: the first of those held is the next. Returns how many are missing before it.</summary>
    public int Skip()
    {
        if (_held.Count == 0) return 0;
        var missing = _held.First().Key - _next;
        _next = _held.First().Key;
        return missing;
    }

    /// <summary>Goes on behind a message whatever was expected; nothing may be held. Returns how many are missing before it.</summary>
    public int Resume(Message message)
    {
        var missing = (int)(((long)message.Payload.Seq - (_base + _next) % Round + Round) % Round);
        (_base, _next) = (((int)message.Payload.Seq + 1) % Round, 0);
        return missing;
    }

    // Distances grow beyond 255 where the numbers go round, so that what is held keeps its order.
    int Distance(Message message)
    {
        if (_held.Count == 0 && _next >= Round) (_base, _next) = ((_base + _next) % Round, 0);
        var ahead = ((int)message.Payload.Seq - (_base + _next) % Round + Round) % Round;
        return ahead > Round / 2 ? _next + ahead - Round : _next + ahead;
    }
}

/// <summary>Where a message stands in its edge node's order.</summary>
enum SequenceStep
{
    /// <summary>The next.</summary>
    InPlace,

    /// <summary>Early, and held.</summary>
    Held,

    /// <summary>Something before it is missing for sure.</summary>
    Missing,

    /// <summary>Its turn is over: it is late, or there twice, or the edge node has begun anew.</summary>
    Late,
}
