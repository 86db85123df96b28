using IotGateway.Broker.Groups;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>The log's topics as groups see them. Thread-safe.</summary>
internal sealed class LogGroupTopics(LogStore log) : IGroupTopics
{
    public event Action? Changed
    {
        add => log.TopicsChanged += value;
        remove => log.TopicsChanged -= value;
    }

    public IReadOnlyCollection<GroupTopic> All => [.. log.Topics.Select(From)];

    public GroupTopic? Find(string name) => log.Find(name) is { } topic ? From(topic) : null;

    public GroupTopic? Find(Guid id) => log.Find(id) is { } topic ? From(topic) : null;

    static GroupTopic From(Topic topic) => new(topic.Name, topic.Id, topic.Partitions.Count);
}
