namespace IotGateway.Broker.Groups;

/// <summary>A topic as groups see it.</summary>
internal readonly record struct GroupTopic(string Name, Guid Id, int Partitions);

/// <summary>The topics there are: over the log in the broker, made up in tests. Thread-safe.</summary>
internal interface IGroupTopics
{
    /// <summary>The topic of that name, or null.</summary>
    GroupTopic? Find(string name);

    /// <summary>The topic with that id, or null.</summary>
    GroupTopic? Find(Guid id);

    /// <summary>A snapshot of all.</summary>
    IReadOnlyCollection<GroupTopic> All { get; }

    /// <summary>Raised after topics came, went or grew; the handler returns at once.</summary>
    event Action? Changed;
}
