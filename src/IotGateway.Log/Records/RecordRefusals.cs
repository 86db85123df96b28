namespace IotGateway.Log.Records;

/// <summary>Which records of a batch a topic's rules refuse, and why. Only the first thousand are listed: a batch may have a million.</summary>
public sealed class RecordRefusals
{
    const int Most = 1000;
    readonly List<(int Index, string Reason)> _list = [];

    /// <summary>The records by their index in the batch.</summary>
    public IReadOnlyList<(int Index, string Reason)> List => _list;

    /// <summary>Whether any has a timestamp out of bounds.</summary>
    public bool OutOfTime { get; private set; }

    internal void Key(int index) => Add(index, "Compacted topic cannot accept message without key.");

    internal void Time(int index, long time)
    {
        OutOfTime = true;
        Add(index, $"The timestamp {time} is out of the bounds that the topic has set.");
    }

    void Add(int index, string reason)
    {
        if (_list.Count < Most) _list.Add((index, reason));
    }
}
