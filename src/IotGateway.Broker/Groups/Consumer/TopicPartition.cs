namespace IotGateway.Broker.Groups.Consumer;

/// <summary>A partition of the topic with that id.</summary>
internal readonly record struct TopicPartition(Guid TopicId, int Partition);

/// <summary>Between flat partitions and the wire's lists per topic.</summary>
internal static class TopicPartitions
{
    public static IReadOnlyList<TopicIdPartitions> ByTopic(IEnumerable<TopicPartition> partitions) =>
        [.. partitions.GroupBy(item => item.TopicId, item => item.Partition).Select(topic => new TopicIdPartitions(topic.Key, [.. topic.Order()]))];

    public static HashSet<TopicPartition> Flat(IEnumerable<TopicIdPartitions> topics)
        => [.. topics.SelectMany(topic => topic.Partitions.Select(partition => new TopicPartition(topic.TopicId, partition)))];
}
