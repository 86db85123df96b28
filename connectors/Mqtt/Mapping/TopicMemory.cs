namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>
/// The bound of all <see cref="TopicCache{T}"/> of a connection: a fleet with a hundred thousand topics, or ten thousand subscriptions, costs no more
/// memory than a few thousand topics. When it is reached everything is forgotten. One thread.
/// </summary>
sealed class TopicMemory
{
    /// <summary>Most topics remembered.</summary>
    public const int Most = 4_096;

    int _count;

    /// <summary>Caches of another generation are stale.</summary>
    public int Generation { get; private set; }

    /// <summary>Takes a place; true when all others were given up for it.</summary>
    public bool Take()
    {
        if (++_count <= Most) return false;
        _count = 1;
        Generation++;
        return true;
    }
}
