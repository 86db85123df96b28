namespace IotGateway.Log.Tests.Model;

/// <summary>What must be true of a partition.</summary>
sealed class ModelPartition
{
    /// <summary>All that was ever given to it.</summary>
    public HashSet<string> Sent { get; } = [];
    /// <summary>What was refused for good, and must never be there.</summary>
    public HashSet<string> Refused { get; } = [];
    /// <summary>By offset, what was said to be there.</summary>
    public SortedDictionary<long, string> Acknowledged { get; } = [];
    /// <summary>How far readers could see.</summary>
    public long Seen { get; set; }
    /// <summary>How far the log start was asked, or allowed, to go.</summary>
    public long PerhapsStart { get; set; }
    public int Epoch { get; set; }
    public IdempotentStream[] Streams { get; set; } = [];

    public void Acknowledge(long offset, string text)
    {
        lock (Acknowledged)
        {
            if (Acknowledged.TryGetValue(offset, out var other)) Assert.Equal(other, text);
            Acknowledged[offset] = text;
        }
    }
}
