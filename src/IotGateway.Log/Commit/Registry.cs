using IotGateway.Log.Tables;
using IotGateway.Log.Topics;
using IotGateway.Log.Wal;

namespace IotGateway.Log.Commit;

/// <summary>
/// What entries about tables and topics do in memory. A log that runs does the first half of a topic's entry on the committer's thread, when it writes it
/// (<see cref="Announce"/> does it again at a start), and the second on the applier's, when it is durable; who reads frames does both.
/// </summary>
sealed class Registry(Catalog topics, TableSet tables)
{
    /// <summary>Makes what partitions from one number up to another need on the disk, before anybody sees them.</summary>
    public Action<Topic, int, int> Make { get; init; } = (_, _, _) => { };

    /// <summary>Takes a topic off the disk that nobody finds any more.</summary>
    public Action<Topic> Discard { get; init; } = _ => { };

    /// <summary>The committer's half of an entry found in a frame.</summary>
    public void Announce(in EntryReader entry)
    {
        var topic = topics.Taken(entry.Topic);
        switch (entry.Kind)
        {
            case EntryKind.CreateTopic when topic is null:
                topics.Add(entry.Topic, entry.Name, entry.Number, entry.Config);
                break;
            case EntryKind.CreateTopic: // known by its folders, or by an older state
                topics.Configure(topic, entry.Config);
                topics.Widen(topic, entry.Number);
                break;
            case EntryKind.AddPartitions when topic is not null:
                topics.Widen(topic, entry.Number);
                break;
            case EntryKind.DeleteTopic when topic is not null:
                topics.Close(topic);
                break;
            default:
                break;
        }
    }

    /// <summary>The applier's half; says whether topics have changed. Entries of other kinds do nothing here.</summary>
    public bool Apply(in EntryReader entry)
    {
        switch (entry.Kind)
        {
            case EntryKind.Put:
                tables.Put(entry.Name, entry.Key.Span, entry.Bytes.Span);
                return false;
            case EntryKind.Remove:
                tables.Remove(entry.Name, entry.Key.Span);
                return false;
            case EntryKind.CreateTopic or EntryKind.AddPartitions when topics.Taken(entry.Topic) is { } topic && topic.Partitions.Count < entry.Number:
                Make(topic, topic.Partitions.Count, entry.Number);
                topics.Publish(topic, entry.Number);
                return true;
            case EntryKind.SetConfig when topics.Taken(entry.Topic) is { } topic:
                topics.Configure(topic, entry.Config);
                return true;
            case EntryKind.DeleteTopic when topics.Taken(entry.Topic) is { } topic:
                topics.Remove(topic);
                tables.Origins.Drop(topic.Id);
                Discard(topic);
                return true;
            default:
                return false;
        }
    }
}
