namespace IotGateway.Connect.EventLog;

/// <summary>Records of the log cannot be opened (damaged, or compressed in a way this version cannot undo). The reader stands behind them.</summary>
public sealed class UnreadableException(string topic, int partition, long offset, Exception inner)
    : IOException($"Records of topic '{topic}', partition {partition}, from offset {offset} cannot be opened: {inner.Message}", inner)
{
    /// <summary>Topic.</summary>
    public string Topic => topic;

    /// <summary>Partition.</summary>
    public int Partition => partition;

    /// <summary>Offset of the first of them.</summary>
    public long Offset => offset;
}
