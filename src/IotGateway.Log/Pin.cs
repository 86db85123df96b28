namespace IotGateway.Log;

/// <summary>
/// Someone who still needs what lies ahead of a position: a sink with what it has not delivered yet. Retention and the disk budget leave that alone
/// until it is older than the pin's greatest age, so that one that never comes back does not hold everything for ever.
/// </summary>
/// <param name="Name">Whose.</param>
/// <param name="MaxAge">How long it holds a segment, counted from its last append.</param>
/// <param name="Position">Offset of the first record it still needs; null for a partition it does not read. Called on the log's threads; must be quick.</param>
public sealed record Pin(string Name, TimeSpan MaxAge, Func<Partition, long?> Position);
