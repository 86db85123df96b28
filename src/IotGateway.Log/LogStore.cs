using Microsoft.Extensions.Logging;

namespace IotGateway.Log;

/// <summary>
/// The storage engine: topics and partitions in Kafka's segment files behind one write-ahead log with group commit, and small
/// durable tables that change in the same atomic frames as the data. Thread-safe. One process per data directory.
/// </summary>
public sealed class LogStore : IAsyncDisposable
{
    /// <summary>Opens or creates the log in <see cref="LogOptions.Directory"/> and recovers it.</summary>
    /// <exception cref="LogLockedException">Another process has the directory.</exception>
    public static Task<LogStore> OpenAsync(LogOptions options, ILogger logger, TimeProvider time, CancellationToken ct)
        => throw new NotSupportedException();

    /// <summary>Identity of this log; new after a restore from backup. The broker's cluster id.</summary>
    public Guid Id => throw new NotSupportedException();

    /// <summary>Broker epoch: bumped by every start.</summary>
    public int StartCount => throw new NotSupportedException();

    /// <summary>False once the log has failed or while the disk is full.</summary>
    public bool Accepting => throw new NotSupportedException();

    /// <summary>Completes with the cause when the log has failed for good (an fsync failed): the process must stop.</summary>
    public Task<Exception> Failed => throw new NotSupportedException();

    /// <summary>All topics, a snapshot.</summary>
    public IReadOnlyCollection<Topic> Topics => throw new NotSupportedException();

    /// <summary>The topic of that name, or null.</summary>
    public Topic? Find(string name) => throw new NotSupportedException();

    /// <summary>The topic with that id, or null.</summary>
    public Topic? Find(Guid id) => throw new NotSupportedException();

    /// <summary>Raised after topics or their partitions or configurations changed; on the applier's thread, must be quick.</summary>
    public event Action? TopicsChanged { add => throw new NotSupportedException(); remove { } }

    /// <summary>Makes a topic, durably.</summary>
    /// <exception cref="TopicExistsException">There is one of that name.</exception>
    public ValueTask<Topic> CreateTopicAsync(string name, int partitions, TopicConfig config, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Removes a topic and its data, durably; the files go later.</summary>
    public ValueTask DeleteTopicAsync(Guid id, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Raises the number of partitions, durably.</summary>
    public ValueTask AddPartitionsAsync(Guid id, int total, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Replaces the topic's configuration, durably.</summary>
    public ValueTask SetConfigAsync(Guid id, TopicConfig config, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>
    /// Appends all of the unit in one atomic frame and returns when it may be acknowledged: on disk, or as the topics' durability
    /// says. One result per <see cref="LogUnit.Append"/>, in order; when any of them has an error, nothing of the unit was written,
    /// except that <see cref="AppendError.DuplicateSequence"/> counts as success and carries the first offsets.
    /// Units of one caller are appended in the order of the calls. The memory given must stay unchanged until the result is there.
    /// </summary>
    /// <exception cref="LogFailedException">The log has failed; the process must stop.</exception>
    /// <exception cref="LogFullException">No space; nothing was written.</exception>
    public ValueTask<IReadOnlyList<AppendResult>> CommitAsync(LogUnit unit, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>A table's value, as of the last applied frame; null when absent. The memory must not be changed.</summary>
    public ReadOnlyMemory<byte>? Get(string table, ReadOnlySpan<byte> key) => throw new NotSupportedException();

    /// <summary>A snapshot of a table's entries.</summary>
    public IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table) => throw new NotSupportedException();

    /// <summary>Figures for metrics and status.</summary>
    public LogFigures Figures => throw new NotSupportedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
