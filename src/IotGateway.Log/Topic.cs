namespace IotGateway.Log;

/// <summary>A topic. Live: its members show the present state.</summary>
public sealed class Topic
{
    internal Topic(string name, Guid id, TopicConfig config) => (Name, Id, Config) = (name, id, config);

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>Id; a topic made again under the same name has another.</summary>
    public Guid Id { get; }

    /// <summary>Configuration in force.</summary>
    public TopicConfig Config { get; internal set; }

    /// <summary>Partitions by index.</summary>
    public IReadOnlyList<Partition> Partitions { get; internal set; } = [];

    /// <summary>Whether it has been deleted.</summary>
    public bool Deleted { get; internal set; }
}
