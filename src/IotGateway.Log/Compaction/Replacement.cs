using IotGateway.Log.Bytes;
using IotGateway.Log.Segments;

namespace IotGateway.Log.Compaction;

/// <summary>
/// "Replace these segments by that", as a frame says it: id of the new files · count i32 and base offsets i64 of the old segments, which lie side by
/// side · what is known of the new one, whose base offset is the first old one's · count i32 and offsets i64 of the abort markers that are not in it
/// any more: their transactions are forgotten with them, for a reader told of one waits for its marker. A mended segment keeps the index of
/// transactions that is there, a compacted one has its own or none. A new segment without bytes is none. Invariants: the new files are
/// synced before the frame is written; putting them in place again is harmless.
/// </summary>
sealed record Replacement(Guid Id, IReadOnlyList<long> Old, Segment New, IReadOnlyList<long> Forgotten)
{
    /// <summary>Ends of the names of files that no frame may refer to any more after a start.</summary>
    public const string Suffix = ".cleaned";

    /// <summary>Where a file of the new segment is until its frame is in force.</summary>
    public string Beside(string path) => $"{path}.{Id:N}{Suffix}";

    /// <summary>The files that are put in place, in this order; the last is there for some only.</summary>
    public string[] Made => [New.LogPath, New.IndexPath, New.TimeIndexPath, New.SumsPath, New.TransactionIndexPath];

    public byte[] Write()
    {
        var to = new ByteWriter(128);
        to.Id(Id);
        to.Int(Old.Count);
        foreach (var offset in Old) to.Long(offset);
        to.Long(New.Size);
        to.Long(New.IndexBytes);
        to.Long(New.TimeIndexBytes);
        to.Long(New.MaxTimestamp);
        to.Long(New.MaxTimestampOffset);
        to.Long(New.LastIndexedTime);
        to.Int(New.BytesSinceIndex);
        to.Long(New.Created);
        to.Long(New.LastAppend);
        to.Long(New.TransactionIndexBytes);
        to.Int(Forgotten.Count);
        foreach (var offset in Forgotten) to.Long(offset);
        return to.Written.ToArray();
    }

    public static Replacement Read(ReadOnlySpan<byte> bytes, string directory)
    {
        var from = new ByteReader(bytes);
        var id = from.Id();
        var old = new long[from.Count(8)];
        for (var i = 0; i < old.Length; i++) old[i] = from.Long();
        if (old.Length == 0) throw new InvalidDataException("A replacement replaces nothing.");
        var segment = new Segment(directory, old[0])
        {
            Size = from.Long(),
            IndexBytes = from.Long(),
            TimeIndexBytes = from.Long(),
            MaxTimestamp = from.Long(),
            MaxTimestampOffset = from.Long(),
            LastIndexedTime = from.Long(),
            BytesSinceIndex = from.Int(),
            Created = from.Long(),
            LastAppend = from.Long(),
            TransactionIndexBytes = from.Position < bytes.Length ? from.Long() : 0, // a version without mending wrote none
            Sealed = true,
        };
        var forgotten = from.Position < bytes.Length ? new long[from.Count(8)] : []; // nor did one that left transactions alone
        for (var i = 0; i < forgotten.Length; i++) forgotten[i] = from.Long();
        return new(id, old, segment, forgotten);
    }
}
