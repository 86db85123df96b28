using System.Collections.Concurrent;
using IotGateway.Log.Disk;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Topics;

/// <summary>
/// All topics. The committer registers a topic when it takes it (<see cref="Add"/>), the applier publishes it when its frame is durable
/// (<see cref="Publish"/>); anyone looks up published ones.
/// </summary>
sealed class Catalog(string directory, TopicConfig defaults, IDisk disk, FileCache files, SumsCache sums, SpaceWaiter space, List<Segment> dirty, FirstWrite first)
{
    readonly ConcurrentDictionary<Guid, Topic> _known = [];
    readonly ConcurrentDictionary<string, Topic> _names = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, Topic> _published = new(StringComparer.Ordinal);

    /// <summary>One to look at a log, or to write a state, without opening it.</summary>
    public static Catalog Offline(string directory, IDisk disk, FileCache files)
        => new(directory, new(), disk, files, new(disk), new SpaceWaiter(), [], new(disk, files, directory, NullLogger.Instance));

    public LogStore Store { get; set; } = null!;

    public SumsCache Sums { get; } = sums;

    public SegmentReader Reader { get; } = new(files, sums);

    public IReadOnlyCollection<Topic> Published => [.. _published.Values];

    /// <summary>Topics the committer knows.</summary>
    public IEnumerable<Topic> Known => _known.Values;

    public Topic? Find(string name) => _published.GetValueOrDefault(name);

    public Topic? Find(Guid id) => _known.GetValueOrDefault(id) is { } topic && _published.GetValueOrDefault(topic.Name) == topic ? topic : null;

    /// <summary>The committer's topic of that name, or null.</summary>
    public Topic? Named(string name) => _names.GetValueOrDefault(name);

    public bool IsTaken(string name) => _names.ContainsKey(name);

    public Topic? Taken(Guid id) => _known.GetValueOrDefault(id);

    public Topic Add(Guid id, string name, int partitions, TopicConfig config)
    {
        var topic = new Topic(name, id, config, Rules(config));
        Widen(topic, partitions);
        _known[id] = topic;
        _names[name] = topic;
        return topic;
    }

    public void Widen(Topic topic, int partitions)
    {
        for (var i = topic.Committed.Count; i < partitions; i++)
        {
            var segments = new PartitionFiles(Path.Combine(directory, $"{topic.Name}-{i}"), disk, files, space, dirty, first) { IndexInterval = topic.Rules.IndexInterval };
            topic.Committed.Add(new(topic, i, Store, segments, Reader));
        }
    }

    /// <summary>The committer's side of a deletion: the name is free again.</summary>
    public void Close(Topic topic)
    {
        topic.Closing = true;
        if (_names.GetValueOrDefault(topic.Name) == topic) _names.TryRemove(topic.Name, out _);
    }

    public void Publish(Topic topic, int partitions)
    {
        topic.Partitions = [.. topic.Committed.Take(partitions)];
        _published[topic.Name] = topic;
    }

    /// <summary>The applier's side of a deletion.</summary>
    public void Remove(Topic topic)
    {
        topic.Deleted = true;
        _known.TryRemove(topic.Id, out _);
        if (_published.GetValueOrDefault(topic.Name) == topic) _published.TryRemove(topic.Name, out _);
    }

    /// <summary>The applier's side of a new configuration.</summary>
    public void Configure(Topic topic, TopicConfig config)
    {
        (topic.Config, topic.Rules) = (config, Rules(config));
        foreach (var partition in topic.Committed) partition.Files.IndexInterval = topic.Rules.IndexInterval;
    }

    TopicRules Rules(TopicConfig config)
    {
        try
        {
            return TopicRules.Parse(config, defaults);
        }
        catch (ArgumentException)
        {
            // Checked when it was set; a version that allows less must still open what is there.
            return new();
        }
    }
}
