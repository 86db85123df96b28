using IotGateway.Log.Commit;
using IotGateway.Log.Wal;

namespace IotGateway.Log;

/// <content>Changes of topics: each is an entry of its own in a frame, in force when that is durable.</content>
public sealed partial class LogStore
{
    const int MaxPartitions = 10_000;

    /// <summary>Makes a topic, durably.</summary>
    /// <exception cref="TopicExistsException">There is one of that name.</exception>
    /// <exception cref="ArgumentException">Name, number of partitions or a setting is not allowed.</exception>
    public async ValueTask<Topic> CreateTopicAsync(string name, int partitions, TopicConfig config, CancellationToken ct)
    {
        if (TopicName.Fault(name) is { } fault) throw new ArgumentException(fault, nameof(name));
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(partitions, MaxPartitions);
        TopicRules.Parse(config, _options.TopicDefaults);
        return await DoAsync(SizeOf(config) + name.Length, (committer, cycle) =>
        {
            if (committer.Topics.IsTaken(name)) throw new TopicExistsException(name);
            var topic = committer.Topics.Add(NewId(), name, partitions, config);
            EntryWriter.CreateTopic(cycle.Frame, topic.Id, name, partitions, config);
            return topic;
        }, ct).ConfigureAwait(false);
    }

    /// <summary>Removes a topic and its data, durably; the files go with a checkpoint that is asked for.</summary>
    /// <exception cref="UnknownTopicException">There is none with that id.</exception>
    public async ValueTask DeleteTopicAsync(Guid id, CancellationToken ct)
    {
        await DoAsync(64, (committer, cycle) =>
        {
            var topic = Taken(committer, id);
            committer.Topics.Close(topic);
            EntryWriter.DeleteTopic(cycle.Frame, id);
            return true;
        }, ct).ConfigureAwait(false);
        RequestCheckpoint();
    }

    /// <summary>Raises the number of partitions, durably.</summary>
    /// <exception cref="UnknownTopicException">There is none with that id.</exception>
    /// <exception cref="ArgumentException">It is not more than there are, or too many.</exception>
    public async ValueTask AddPartitionsAsync(Guid id, int total, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(total, MaxPartitions);
        var widened = await DoAsync(64, (committer, cycle) =>
        {
            var topic = Taken(committer, id);
            if (total <= topic.Committed.Count) return false;
            committer.Topics.Widen(topic, total);
            EntryWriter.AddPartitions(cycle.Frame, id, total);
            return true;
        }, ct).ConfigureAwait(false);
        if (!widened) throw new ArgumentException($"The topic has {total} partitions or more already.", nameof(total));
    }

    /// <summary>Replaces the topic's configuration, durably.</summary>
    /// <exception cref="UnknownTopicException">There is none with that id.</exception>
    /// <exception cref="ArgumentException">A setting is not allowed.</exception>
    public async ValueTask SetConfigAsync(Guid id, TopicConfig config, CancellationToken ct)
    {
        TopicRules.Parse(config, _options.TopicDefaults);
        await DoAsync(SizeOf(config), (committer, cycle) =>
        {
            Taken(committer, id);
            EntryWriter.SetConfig(cycle.Frame, id, config);
            return true;
        }, ct).ConfigureAwait(false);
    }

    internal async ValueTask<long> DeleteRecordsAsync(Partition partition, long offset, CancellationToken ct)
    {
        var first = partition.Files.Segments.FirstOrDefault();
        var start = await DoAsync(64, (committer, cycle) =>
        {
            Taken(committer, partition.Topic.Id);
            var end = partition.HighWatermark;
            var to = offset == -1 ? end : offset;
            if (to < 0 || to > end) throw new OffsetOutOfRangeException(offset, partition.LogStart, end);
            if (to <= partition.Tail.LogStart) return partition.Tail.LogStart;
            partition.Tail.LogStart = to;
            EntryWriter.LogStart(cycle.Frame, partition.Topic.Id, partition.Index, to);
            return to;
        }, ct).ConfigureAwait(false);
        if (partition.Files.Segments.FirstOrDefault() != first) RequestCheckpoint(); // deletes the files
        return start;
    }

    Task<T> DoAsync<T>(int size, Func<Committer, Cycle, T> encode, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var operation = new Operation<T>(size, encode);
        _committer.Enqueue(operation);
        return operation.Answer;
    }

    static Topic Taken(Committer committer, Guid id)
        => committer.Topics.Taken(id) is { Closing: false } topic ? topic : throw new UnknownTopicException(id.ToString());

    static int SizeOf(TopicConfig config) => 64 + config.Settings.Sum(s => 8 + (s.Key.Length + s.Value.Length) * 3);

    // Kafka reserves the ids 0 and 1, and its tools choke on one that starts with a dash in base 64.
    static Guid NewId()
    {
        while (true)
        {
            var id = Guid.NewGuid();
            if (id.ToByteArray(bigEndian: true)[0] >> 2 != 62) return id;
        }
    }
}
