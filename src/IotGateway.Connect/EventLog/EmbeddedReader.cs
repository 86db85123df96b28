using System.Buffers.Binary;
using System.Text;
using System.Threading.Channels;
using IotGateway.Log;
using IotGateway.Log.Records;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.EventLog;

/// <summary>
/// Reads partitions of the embedded log in turn. One caller at a time; told of new data by the log, never polls. A position below
/// the log's start (retention was faster) moves up to it, with a warning.
/// </summary>
/// <remarks>A position is kept with the topic's id: a topic made anew under the same name is read from its beginning.</remarks>
sealed partial class EmbeddedReader : IEventReader, IPartitionWatcher
{
    const int PositionBytes = 24, Overhead = 16;
    readonly LogStore _store;
    readonly string _consumer;
    readonly Func<string, bool> _filter;
    readonly ILogger _logger;
    readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly List<Cursor> _cursors = [];
    readonly List<SinkRecord> _taken = []; // stepped over, and still here when a read is cancelled or fails
    readonly SliceArrays _arrays = new();
    bool _handed; // what was taken: the caller has it, and it goes with the next read
    bool _releases; // until it does, arrays that nobody gives back are not worth keeping track of
    (Cursor Cursor, SliceWalk Walk)? _open; // read, and not yet handed out to its end
    volatile bool _topicsChanged;
    int _turn;

    public EmbeddedReader(LogStore store, string consumer, Func<string, bool> filter, bool fromEnd, ILogger logger)
    {
        (_store, _consumer, _filter, _logger) = (store, consumer, filter, logger);
        store.TopicsChanged += OnTopicsChanged;
        Discover(fromEnd);
    }

    public long Lag => _cursors.Sum(c => Math.Max(0, c.Partition.HighWatermark - c.Next));

    public async ValueTask<IReadOnlyList<SinkRecord>> ReadAsync(int maxRecords, int maxBytes, CancellationToken ct)
    {
        if (_handed) _taken.Clear();
        _handed = false;
        for (;;)
        {
            if (_topicsChanged) Discover(fromEnd: false);
            var (left, went) = (maxBytes, false);
            if (_open is not null) Take(maxRecords, ref left, ref went);
            // One round over the partitions, beginning after the one that was served last.
            for (var i = 0; i < _cursors.Count && _taken.Count < maxRecords && left > 0; i++)
            {
                var cursor = _cursors[_turn = (_turn + 1) % _cursors.Count];
                if (cursor.Next >= cursor.Partition.LastStableOffset) continue;
                _open = await OpenAsync(cursor, left, ct).ConfigureAwait(false);
                if (_open is not null) Take(maxRecords, ref left, ref went);
            }
            if (_taken.Count > 0)
            {
                _handed = true;
                return _taken;
            }
            if (went || _signal.Reader.TryRead(out _)) continue;
            _arrays.Trim();
            await _signal.Reader.ReadAsync(ct).ConfigureAwait(false);
        }
    }

    public void Release()
    {
        _releases = true;
        if (_taken.Count > 0 && !_handed) return; // not handed out yet: a later call will do
        _arrays.Reclaim(_open?.Walk.Slice.Batches ?? default);
    }

    public void Settle(EventUnit unit, SinkRecord last)
    {
        if (_store.Find(last.Topic) is { } topic) Put(unit, topic, last.Partition, last.Offset + 1);
    }

    public void Anchor(EventUnit unit)
    {
        foreach (var cursor in _cursors) Put(unit, cursor.Partition.Topic, cursor.Partition.Index, cursor.Next);
    }

    public ValueTask DisposeAsync()
    {
        _store.TopicsChanged -= OnTopicsChanged;
        foreach (var cursor in _cursors) cursor.Partition.Unwatch(this);
        _open?.Walk.Dispose();
        return ValueTask.CompletedTask;
    }

    void IPartitionWatcher.Advanced(Partition partition, int bytes) => _signal.Writer.TryWrite(true);

    void OnTopicsChanged()
    {
        _topicsChanged = true;
        _signal.Writer.TryWrite(true);
    }

    void Discover(bool fromEnd)
    {
        _topicsChanged = false;
        _cursors.RemoveAll(c => c.Partition.Topic.Deleted);
        var known = _cursors.Select(c => c.Partition).ToHashSet();
        foreach (var topic in _store.Topics.Where(t => !t.Deleted && _filter(t.Name)).OrderBy(t => t.Name, StringComparer.Ordinal))
            foreach (var partition in topic.Partitions)
            {
                if (known.Contains(partition)) continue;
                partition.Watch(this);
                _cursors.Add(new(partition) { Next = Stored(_store, _consumer, partition) ?? (fromEnd ? partition.HighWatermark : partition.LogStart) });
            }
    }

    /// <summary>Where the consumer goes on in a partition; null when it never read there.</summary>
    public static long? Stored(LogStore store, string consumer, Partition partition)
        => store.Get(LogTables.Positions, Key(consumer, partition.Topic.Name, partition.Index)) is { Length: PositionBytes } stored
            && new Guid(stored.Span[..16]) == partition.Topic.Id ? BinaryPrimitives.ReadInt64BigEndian(stored.Span[16..]) : null;

    async ValueTask<(Cursor, SliceWalk)?> OpenAsync(Cursor cursor, int maxBytes, CancellationToken ct)
    {
        var partition = cursor.Partition;
        try
        {
            return (cursor, new(partition, await partition.ReadAsync(cursor.Next, maxBytes, _releases ? _arrays : null, ct).ConfigureAwait(false), cursor.Next));
        }
        catch (OffsetOutOfRangeException e)
        {
            if (!partition.Topic.Deleted) Log.Moved(_logger, _consumer, partition.Topic.Name, partition.Index, e.Message);
            cursor.Next = Math.Clamp(cursor.Next, partition.LogStart, partition.HighWatermark);
            return null;
        }
    }

    /// <summary>Takes records of what is open, as many as are wanted; at its end it is no longer.</summary>
    /// <exception cref="UnreadableException">The next batch cannot be read; the reader stands behind it. Only when nothing was taken: else the next call says so.</exception>
    void Take(int maxRecords, ref int maxBytes, ref bool went)
    {
        var (cursor, walk) = _open!.Value;
        try
        {
            while (_taken.Count < maxRecords && maxBytes > 0)
            {
                if (!walk.MoveNext())
                {
                    var end = walk.Next;
                    if (end == walk.From && end < walk.Slice.LastStableOffset) end = Math.Min(End(walk.Slice, end), walk.Slice.LastStableOffset);
                    went |= end > cursor.Next;
                    cursor.Next = end;
                    Close();
                    return;
                }
                var record = walk.Current;
                _taken.Add(Sink(cursor.Partition, record));
                cursor.Next = record.Offset + 1;
                maxBytes -= Overhead + (record.Key?.Length ?? 0) + (record.Value?.Length ?? 0);
            }
        }
        catch (Exception e) when (e is InvalidDataException or UnsupportedCompressionException)
        {
            Close();
            // What was taken before is handed out; then it is read from there once more, and the bad batch is the first.
            went = true;
            if (_taken.Count > 0 || cursor.Next > walk.From) return;
            cursor.Next = End(walk.Slice, walk.From, onlyFirst: true);
            throw new UnreadableException(cursor.Partition.Topic.Name, cursor.Partition.Index, walk.From, e);
        }
    }

    void Close()
    {
        _open?.Walk.Dispose();
        _open = null;
    }

    // Where the slice ends, or its first batch that reaches beyond the place.
    static long End(LogSlice slice, long from, bool onlyFirst = false)
    {
        var rest = slice.Batches.Span;
        var end = from;
        while (rest.Length >= RecordBatch.HeaderSize && new RecordBatch(rest) is { IsWhole: true } batch)
        {
            end = Math.Max(end, batch.LastOffset + 1);
            rest = rest[batch.Size..];
            if (onlyFirst && end > from) break;
        }
        return end > from ? end : from + 1;
    }

    static SinkRecord Sink(Partition partition, in IotGateway.Log.Records.Record record) => new()
    {
        Topic = partition.Topic.Name, Partition = partition.Index, Partitions = partition.Topic.Partitions.Count, Offset = record.Offset, Timestamp = record.Timestamp,
        Key = record.Key, Value = record.Value, Headers = HeadersOf(record.Headers),
    };

    static Header[] HeadersOf(RecordHeaders headers)
    {
        if (headers.Count == 0) return [];
        var made = new Header[headers.Count];
        var i = 0;
        foreach (var header in headers) made[i++] = new(header.Key, header.Value);
        return made;
    }

    void Put(EventUnit unit, Topic topic, int partition, long next)
    {
        Span<byte> value = stackalloc byte[PositionBytes];
        topic.Id.TryWriteBytes(value);
        BinaryPrimitives.WriteInt64BigEndian(value[16..], next);
        unit.Put(LogTables.Positions, Key(_consumer, topic.Name, partition), value);
    }

    static byte[] Key(string consumer, string topic, int partition) => Encoding.UTF8.GetBytes($"{consumer}\0{topic}\0{partition}");

    sealed class Cursor(Partition partition)
    {
        public Partition Partition => partition;
        public long Next { get; set; }
    }

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Consumer}: its place in topic {Topic}, partition {Partition} is gone: {Reason} It goes on at the oldest record there is; what lay between was removed before it was delivered. Give the topic a longer retention.")]
        public static partial void Moved(ILogger logger, string consumer, string topic, int partition, string reason);
    }
}
