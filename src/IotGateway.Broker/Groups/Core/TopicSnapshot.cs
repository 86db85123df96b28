namespace IotGateway.Broker.Groups.Core;

/// <summary>The topics as of one moment, so that a step inside a group need not ask the log. Immutable.</summary>
internal sealed class TopicSnapshot(IReadOnlyCollection<GroupTopic> topics)
{
    readonly Dictionary<string, GroupTopic> byName = topics.ToDictionary(topic => topic.Name, StringComparer.Ordinal);

    readonly Dictionary<Guid, GroupTopic> byId = topics.ToDictionary(topic => topic.Id);

    public IEnumerable<string> Names => byName.Keys;

    public GroupTopic? Find(string name) => byName.TryGetValue(name, out var topic) ? topic : null;

    public GroupTopic? Find(Guid id) => byId.TryGetValue(id, out var topic) ? topic : null;
}

/// <summary>Makes a snapshot when the topics have changed since the last. Thread-safe.</summary>
internal sealed class TopicSnapshots(IGroupTopics topics)
{
    int version;
    (int Version, TopicSnapshot Snapshot)? latest;
    readonly Lock gate = new();

    public void Expire() => Interlocked.Increment(ref version);

    public TopicSnapshot Current
    {
        get
        {
            var wanted = Volatile.Read(ref version);
            lock (gate)
                if (latest is { } kept && kept.Version == wanted) return kept.Snapshot;
            // Topics that change from here on raise the version, so that what is kept under this one is at worst made once more.
            TopicSnapshot made = new(topics.All);
            lock (gate) latest = (wanted, made);
            return made;
        }
    }
}
