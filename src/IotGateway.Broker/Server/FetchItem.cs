using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>One partition a client wants records of.</summary>
/// <param name="Name">Its topic's name; empty where the request names topics by id and there is none.</param>
/// <param name="TopicId">Its topic's id; empty where the request names topics by name.</param>
/// <param name="Index">Its number.</param>
/// <param name="Offset">Where to read on.</param>
/// <param name="MaxBytes">Most bytes of it.</param>
/// <param name="LeaderEpoch">The epoch the client believes in, or -1.</param>
/// <param name="LastFetchedEpoch">Epoch of the last record the client has, or -1.</param>
internal sealed record FetchItem(string Name, Guid TopicId, int Index, long Offset, int MaxBytes, int LeaderEpoch, int LastFetchedEpoch)
{
    /// <summary>The partition as it is now; null when there is none.</summary>
    public Partition? Find(LogStore log)
    {
        var topic = TopicId == Guid.Empty ? log.Find(Name) : log.Find(TopicId);
        return topic is not null && Index >= 0 && Index < topic.Partitions.Count ? topic.Partitions[Index] : null;
    }
}
