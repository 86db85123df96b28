using IotGateway.Log.Bytes;

namespace IotGateway.Log.Wal;

/// <summary>Writes entries into a frame, as <see cref="EntryKind"/> lays them down.</summary>
static class EntryWriter
{
    public const int AppendOverhead = 1 + 16 + 4 + 8 + 8 + 4;

    /// <summary>Writes an append and returns its batches' place in the frame, to be stamped with offsets.</summary>
    public static int Append(ByteWriter frame, Guid topic, int partition, long baseOffset, long segmentBase, ReadOnlySpan<byte> batches)
    {
        Place(frame, EntryKind.Append, topic, partition);
        frame.Long(baseOffset);
        frame.Long(segmentBase);
        frame.Block(batches);
        return frame.Length - batches.Length;
    }

    public static void Put(ByteWriter frame, string table, ReadOnlySpan<byte> key, ReadOnlyMemory<byte>? value)
    {
        frame.Byte((byte)(value is null ? EntryKind.Remove : EntryKind.Put));
        frame.Text(table);
        frame.Block(key);
        if (value is { } bytes) frame.Block(bytes.Span);
    }

    public static void CreateTopic(ByteWriter frame, Guid id, string name, int partitions, TopicConfig config)
    {
        frame.Byte((byte)EntryKind.CreateTopic);
        frame.Id(id);
        frame.Text(name);
        frame.Int(partitions);
        Config(frame, config);
    }

    public static void DeleteTopic(ByteWriter frame, Guid id)
    {
        frame.Byte((byte)EntryKind.DeleteTopic);
        frame.Id(id);
    }

    public static void AddPartitions(ByteWriter frame, Guid id, int total) => Place(frame, EntryKind.AddPartitions, id, total);

    public static void SetConfig(ByteWriter frame, Guid id, TopicConfig config)
    {
        frame.Byte((byte)EntryKind.SetConfig);
        frame.Id(id);
        Config(frame, config);
    }

    public static void LogStart(ByteWriter frame, Guid topic, int partition, long offset)
    {
        Place(frame, EntryKind.LogStart, topic, partition);
        frame.Long(offset);
    }

    public static void Roll(ByteWriter frame, Guid topic, int partition, long baseOffset)
    {
        Place(frame, EntryKind.Roll, topic, partition);
        frame.Long(baseOffset);
    }

    public static void Epoch(ByteWriter frame, Guid topic, int partition, int epoch, long offset)
    {
        Place(frame, EntryKind.Epoch, topic, partition);
        frame.Int(epoch);
        frame.Long(offset);
    }

    public static void Replace(ByteWriter frame, Guid topic, int partition, ReadOnlySpan<byte> replacement)
    {
        Place(frame, EntryKind.Replace, topic, partition);
        frame.Block(replacement);
    }

    public static void Start(ByteWriter frame, int count)
    {
        frame.Byte((byte)EntryKind.Start);
        frame.Int(count);
    }

    public static void Config(ByteWriter frame, TopicConfig config)
    {
        frame.Int(config.Settings.Count);
        foreach (var (name, value) in config.Settings)
        {
            frame.Text(name);
            frame.Text(value);
        }
    }

    static void Place(ByteWriter frame, EntryKind kind, Guid topic, int number)
    {
        frame.Byte((byte)kind);
        frame.Id(topic);
        frame.Int(number);
    }
}
