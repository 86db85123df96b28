using IotGateway.Log;

namespace IotGateway.Broker.Groups.Storage;

/// <summary>The log's topics, as groups see them. Thread-safe.</summary>
internal sealed class LogGroupTopics(LogStore log) : IGroupTopics
{
    public event Action? Changed
    {
        add => log.TopicsChanged += value;
        remove => log.TopicsChanged -= value;
    }

    public IReadOnlyCollection<GroupTopic> All => [.. log.Topics.Select(View)];

    public GroupTopic? Find(string name) => log.Find(name) is { Deleted: false } topic ? View(topic) : null;

    public GroupTopic? Find(Guid id) => log.Find(id) is { Deleted: false } topic ? View(topic) : null;

    static GroupTopic View(Topic topic) => new(topic.Name, topic.Id, topic.Partitions.Count);
}
