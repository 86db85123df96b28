namespace IotGateway.Broker.Groups.Consumer;

/// <summary>
/// Evens out the number of partitions per member and moves as few as it can: everybody keeps what it has, what nobody has goes to
/// whoever reads the topic and has least, and then single partitions move from members with more to members with at least two fewer, the last ones first.
/// </summary>
internal sealed class UniformAssignor : IAssignor
{
    public string Name => "uniform";

    public Dictionary<string, HashSet<TopicPartition>> Assign(
        IReadOnlyList<AssigneeMember> members, IReadOnlyDictionary<string, GroupTopic> topics)
    {
        var result = members.ToDictionary(member => member.Id, _ => new HashSet<TopicPartition>(), StringComparer.Ordinal);
        var byName = members.SelectMany(member => member.Topics.Select(topic => (topic, member.Id)))
            .GroupBy(item => item.topic, item => item.Id, StringComparer.Ordinal)
            .OrderBy(topic => topic.Key, StringComparer.Ordinal)
            .ToArray();
        var readers = byName.ToDictionary(topic => topics[topic.Key].Id, topic => topic.Order(StringComparer.Ordinal).ToArray());
        var owner = new Dictionary<TopicPartition, string>();
        var all = byName.Select(topic => topics[topic.Key])
            .SelectMany(topic => Enumerable.Range(0, topic.Partitions).Select(partition => new TopicPartition(topic.Id, partition)))
            .ToArray();
        var there = all.ToHashSet();

        foreach (var member in members.OrderBy(member => member.Id, StringComparer.Ordinal))
            foreach (var item in member.Current)
                if (there.Contains(item) && Array.BinarySearch(readers[item.TopicId], member.Id, StringComparer.Ordinal) >= 0)
                    if (owner.TryAdd(item, member.Id)) result[member.Id].Add(item);

        foreach (var item in all)
        {
            if (owner.ContainsKey(item)) continue;
            var least = Least(readers[item.TopicId], result);
            owner[item] = least;
            result[least].Add(item);
        }
        Level(all, readers, owner, result);
        return result;
    }

    /// <summary>Each move lowers the sum of squares of the members' counts, so that this ends.</summary>
    static void Level(TopicPartition[] all, Dictionary<Guid, string[]> readers, Dictionary<TopicPartition, string> owner,
        Dictionary<string, HashSet<TopicPartition>> result)
    {
        bool moved;
        do
        {
            moved = false;
            foreach (var item in all.Reverse())
            {
                var from = owner[item];
                var to = Least(readers[item.TopicId], result);
                if (result[to].Count + 1 >= result[from].Count) continue;
                result[from].Remove(item);
                result[to].Add(item);
                owner[item] = to;
                moved = true;
            }
        }
        while (moved);
    }

    static string Least(string[] candidates, Dictionary<string, HashSet<TopicPartition>> result)
    {
        var least = candidates[0];
        foreach (var candidate in candidates)
            if (result[candidate].Count < result[least].Count) least = candidate;
        return least;
    }
}
