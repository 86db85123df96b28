namespace IotGateway.Log;

/// <summary>A topic. Live: its members show the present state. Thread-safe.</summary>
public sealed class Topic
{
    internal Topic(string name, Guid id, TopicConfig config, TopicRules rules) => (Name, Id, Config, Rules) = (name, id, config, rules);

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>Id; a topic made again under the same name has another.</summary>
    public Guid Id { get; }

    /// <summary>Configuration in force.</summary>
    public TopicConfig Config { get; internal set; }

    /// <summary>What the configuration means, defaults included.</summary>
    public TopicRules Rules { get; internal set; }

    /// <summary>Partitions by index.</summary>
    public IReadOnlyList<Partition> Partitions { get; internal set; } = [];

    /// <summary>Whether it has been deleted.</summary>
    public bool Deleted { get; internal set; }

    /// <summary>The committer's view, ahead of <see cref="Partitions"/> while a frame is under way.</summary>
    internal List<Partition> Committed { get; } = [];

    /// <summary>The committer has taken its deletion; nothing more is appended.</summary>
    internal bool Closing { get; set; }
}
