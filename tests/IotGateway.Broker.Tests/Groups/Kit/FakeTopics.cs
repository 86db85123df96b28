using System.Collections.Concurrent;
using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>Topics made up by a test.</summary>
sealed class FakeTopics : IGroupTopics
{
    readonly ConcurrentDictionary<string, GroupTopic> topics = new();

    public event Action? Changed;

    public IReadOnlyCollection<GroupTopic> All => [.. topics.Values];

    public GroupTopic? Find(string name) => topics.TryGetValue(name, out var topic) ? topic : null;

    public GroupTopic? Find(Guid id) => topics.Values.Where(topic => topic.Id == id).Select(topic => (GroupTopic?)topic).FirstOrDefault();

    public GroupTopic Add(string name, int partitions)
    {
        var topic = new GroupTopic(name, topics.TryGetValue(name, out var old) ? old.Id : Guid.NewGuid(), partitions);
        topics[name] = topic;
        Changed?.Invoke();
        return topic;
    }

    public void Remove(string name)
    {
        topics.TryRemove(name, out _);
        Changed?.Invoke();
    }
}
