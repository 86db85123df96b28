namespace IotGateway.Broker.Groups.Consumer;

/// <summary>
/// Gives each reader of a topic a run of neighbouring partitions, so that the same partitions of topics with the same readers are
/// together. Members are taken in the order of their instance ids, or else of their ids; so static members keep their places.
/// </summary>
internal sealed class RangeAssignor : IAssignor
{
    public string Name => "range";

    public Dictionary<string, HashSet<TopicPartition>> Assign(
        IReadOnlyList<AssigneeMember> members, IReadOnlyDictionary<string, GroupTopic> topics)
    {
        var result = members.ToDictionary(member => member.Id, _ => new HashSet<TopicPartition>(), StringComparer.Ordinal);
        foreach (var topic in topics.Values)
        {
            var readers = members.Where(member => member.Topics.Contains(topic.Name))
                .OrderBy(member => member.InstanceId is null)
                .ThenBy(member => member.InstanceId ?? member.Id, StringComparer.Ordinal)
                .ToArray();
            if (readers.Length == 0) continue;
            var (each, more) = Math.DivRem(topic.Partitions, readers.Length);
            var next = 0;
            for (var i = 0; i < readers.Length; i++)
                for (var end = next + each + (i < more ? 1 : 0); next < end; next++)
                    result[readers[i].Id].Add(new(topic.Id, next));
        }
        return result;
    }
}
