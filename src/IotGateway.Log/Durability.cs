namespace IotGateway.Log;

/// <summary>When an append to a topic is acknowledged and becomes readable. The write path is the same for all.</summary>
public enum Durability
{
    /// <summary>When it is on disk.</summary>
    Fsync,
    /// <summary>When it is written; synced within the interval given.</summary>
    Interval,
    /// <summary>When it is written; synced within a second or so.</summary>
    Os,
}
