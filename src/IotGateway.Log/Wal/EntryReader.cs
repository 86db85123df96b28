using IotGateway.Log.Bytes;

namespace IotGateway.Log.Wal;

/// <summary>Steps over a frame's entries; what a kind does not have stays at its default. Used by the applier and by recovery alike.</summary>
ref struct EntryReader(ReadOnlyMemory<byte> frame)
{
    readonly ReadOnlyMemory<byte> _frame = frame;
    ByteReader _reader = new(frame.Span[FrameFormat.HeaderSize..]);

    public EntryKind Kind { get; private set; }
    public Guid Topic { get; private set; }
    /// <summary>Partition, number of partitions, or start count.</summary>
    public int Number { get; private set; }
    /// <summary>Base offset, log start, or first offset of the epoch or segment.</summary>
    public long Offset { get; private set; }
    public long SegmentBase { get; private set; }
    public int Epoch { get; private set; }
    /// <summary>Topic or table.</summary>
    public string Name { get; private set; } = "";
    public ReadOnlyMemory<byte> Key { get; private set; }
    /// <summary>Batches, table value or replacement.</summary>
    public ReadOnlyMemory<byte> Bytes { get; private set; }
    public TopicConfig Config { get; private set; } = new();

    /// <exception cref="LogFormatException">A kind this version does not know.</exception>
    /// <exception cref="InvalidDataException">The entry is not well formed.</exception>
    public bool MoveNext()
    {
        if (_reader.AtEnd) return false;
        Kind = (EntryKind)_reader.Byte();
        switch (Kind)
        {
            case EntryKind.Append:
                Place();
                Offset = _reader.Long();
                SegmentBase = _reader.Long();
                Bytes = Block();
                break;
            case EntryKind.Put:
                Name = TableName();
                Key = Block();
                Bytes = Block();
                break;
            case EntryKind.Remove:
                Name = TableName();
                Key = Block();
                break;
            case EntryKind.CreateTopic:
                Topic = _reader.Id();
                Name = _reader.Text();
                Number = _reader.Int();
                Config = ReadConfig(ref _reader);
                break;
            case EntryKind.DeleteTopic:
                Topic = _reader.Id();
                break;
            case EntryKind.AddPartitions:
                Place();
                break;
            case EntryKind.SetConfig:
                Topic = _reader.Id();
                Config = ReadConfig(ref _reader);
                break;
            case EntryKind.LogStart:
            case EntryKind.Roll:
                Place();
                Offset = _reader.Long();
                break;
            case EntryKind.Epoch:
                Place();
                Epoch = _reader.Int();
                Offset = _reader.Long();
                break;
            case EntryKind.Replace:
                Place();
                Bytes = Block();
                break;
            case EntryKind.Start:
                Number = _reader.Int();
                break;
            default:
                throw new LogFormatException($"The write-ahead log has an entry of kind {(byte)Kind}, which this version does not know. "
                    + "Start the version that wrote it; nothing was changed.");
        }
        return true;
    }

    void Place()
    {
        Topic = _reader.Id();
        Number = _reader.Int();
    }

    ReadOnlyMemory<byte> Block()
    {
        var length = _reader.Block().Length;
        return _frame.Slice(FrameFormat.HeaderSize + _reader.Position - length, length);
    }

    // Table names repeat endlessly: the runtime's intern pool saves a string per put.
    string TableName() => TableNames.Of(_reader.Block());

    public static TopicConfig ReadConfig(ref ByteReader reader)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var left = reader.Count(8); left > 0; left--)
        {
            var name = reader.Text();
            settings[name] = reader.Text();
        }
        return new() { Settings = settings };
    }
}
