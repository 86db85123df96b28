using System.Collections.Immutable;
using IotGateway.Log.Bytes;
using IotGateway.Log.Segments;
using IotGateway.Log.Tables;
using IotGateway.Log.Topics;
using IotGateway.Log.Transactions;
using IotGateway.Log.Wal;

namespace IotGateway.Log.Recovery;

/// <summary>
/// The checkpoint's body, in three parts, for two threads own them: the committer's (<see cref="WriteTails"/>: topics, ends, producers), the
/// applier's (<see cref="Write"/>: segments, epochs, aborted transactions), and the tables. All as of one sequence.
/// </summary>
static class StateBody
{
    const int HeadSize = 16 + 4 + 8 + 1;

    /// <summary>The committer's part.</summary>
    /// <param name="topics">The topics.</param>
    /// <param name="clean">Whether the log is being closed in order.</param>
    /// <param name="forget">Producers that have not written since then (<see cref="LogClock"/>) are forgotten.</param>
    public static byte[] WriteTails(Catalog topics, bool clean, long forget = long.MinValue)
    {
        var to = new ByteWriter(4096);
        to.Byte(clean ? (byte)1 : (byte)0);
        var all = topics.Known.Where(t => !t.Closing).ToList();
        to.Int(all.Count);
        foreach (var topic in all)
        {
            to.Id(topic.Id);
            to.Text(topic.Name);
            EntryWriter.Config(to, topic.Config);
            to.Int(topic.Committed.Count);
            foreach (var partition in topic.Committed)
            {
                var tail = partition.Tail;
                to.Long(tail.NextOffset);
                to.Long(tail.SegmentBase);
                to.Long(tail.SegmentBytes);
                to.Long(tail.SegmentTime);
                to.Long(tail.LogStart);
                tail.Producers.ForgetBefore(forget);
                tail.Producers.Write(to);
            }
        }
        return to.Written.ToArray();
    }

    /// <summary>The whole body: the committer's part as given, the rest as it is now.</summary>
    public static byte[] Write(Guid id, int startCount, long sequence, ReadOnlySpan<byte> tails, Catalog topics, TableSet tables)
    {
        var to = new ByteWriter(tails.Length + 4096);
        to.Id(id);
        to.Int(startCount);
        to.Long(sequence);
        to.Raw(tails);
        var all = topics.Published;
        to.Int(all.Count);
        foreach (var topic in all)
        {
            to.Id(topic.Id);
            to.Int(topic.Partitions.Count);
            foreach (var partition in topic.Partitions) WritePartition(to, partition);
        }
        tables.Write(to);
        return to.Written.ToArray();
    }

    /// <summary>Rebuilds everything from a body, which is kept: segments are unpacked when they are asked for.</summary>
    /// <exception cref="LogFormatException">Its checksum may hold, but it is not what this program writes.</exception>
    public static RecoveredState Read(ReadOnlyMemory<byte> body, Catalog topics, TableSet tables)
    {
        try
        {
            return ReadAll(body, topics, tables);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            throw new LogFormatException($"The state file is whole, but its content makes no sense: {e.Message} Nothing was changed; restore it from a backup.");
        }
    }

    /// <summary>What stands at the head of a body.</summary>
    /// <exception cref="LogFormatException">It is not what this program writes.</exception>
    public static RecoveredState Head(ReadOnlyMemory<byte> body)
    {
        if (body.Length < HeadSize) throw new LogFormatException("The state file is whole, but has no content. Nothing was changed; restore it from a backup.");
        var from = new ByteReader(body.Span);
        return ReadHead(ref from);
    }

    static RecoveredState ReadHead(ref ByteReader from) => new(from.Id(), from.Int(), from.Long(), from.Byte() == 1);

    static RecoveredState ReadAll(ReadOnlyMemory<byte> body, Catalog topics, TableSet tables)
    {
        var from = new ByteReader(body.Span);
        var state = ReadHead(ref from);
        for (var left = from.Count(16); left > 0; left--) ReadTopic(ref from, topics);
        for (var left = from.Count(16); left > 0; left--)
        {
            var topic = topics.Taken(from.Id()) ?? throw new InvalidDataException("The state's segments belong to no topic.");
            var partitions = from.Count(8);
            foreach (var partition in topic.Committed.Take(partitions)) ReadPartition(ref from, partition, body);
            topics.Publish(topic, partitions);
        }
        tables.Read(ref from);
        return from.AtEnd ? state : throw new InvalidDataException("The state has bytes behind its end.");
    }

    static void ReadTopic(ref ByteReader from, Catalog topics)
    {
        var (id, name, config) = (from.Id(), from.Text(), EntryReader.ReadConfig(ref from));
        var topic = topics.Add(id, name, from.Count(40), config);
        foreach (var partition in topic.Committed)
        {
            var tail = partition.Tail;
            tail.NextOffset = from.Long();
            tail.SegmentBase = from.Long();
            tail.SegmentBytes = from.Long();
            tail.SegmentTime = from.Long();
            tail.LogStart = from.Long();
            tail.Producers.Read(ref from);
        }
    }

    static void WritePartition(ByteWriter to, Partition partition)
    {
        to.Long(partition.LogStart);
        to.Int(partition.Epochs.Length);
        foreach (var (epoch, offset) in partition.Epochs)
        {
            to.Int(epoch);
            to.Long(offset);
        }
        partition.Transactions.Write(to);
        to.Long(partition.Files.Written);
        if (partition.Files.Packed is { } packed) packed.Write(to);
        else PackedSegments.Write(to, partition.Files.Segments);
    }

    static void ReadPartition(ref ByteReader from, Partition partition, ReadOnlyMemory<byte> body)
    {
        var logStart = from.Long();
        var epochs = ImmutableArray.CreateBuilder<EpochStart>();
        for (var left = from.Count(12); left > 0; left--) epochs.Add(new(from.Int(), from.Long()));
        var aborted = PartitionTransactions.Read(ref from);
        var written = from.Long();
        var segments = PackedSegments.Read(ref from, body);
        if (epochs.Count == 0) throw new InvalidDataException("A partition has no leader epoch.");
        partition.Files.Restore(segments, written);
        partition.Transactions.Restore(partition.Tail.Producers.Snapshot(), aborted, written);
        partition.Restore(logStart, written, epochs.ToImmutable());
        partition.Tail.Epoch = epochs[^1].Epoch;
    }
}

/// <summary>What stands at the head of a state.</summary>
readonly record struct RecoveredState(Guid Id, int StartCount, long Sequence, bool Clean);
