namespace IotGateway.Log.Wal;

/// <summary>
/// What a frame's entry does; its first byte. Fields follow as listed, little-endian, lengths i32. A kind not known is a newer version's:
/// the log refuses to open.
/// </summary>
enum EntryKind : byte
{
    /// <summary>topic id · partition i32 · base offset i64 · segment base i64 · length i32 · record batches as they go into the segment. The end of a transaction is its markers so appended, and puts, in one frame.</summary>
    Append = 1,
    /// <summary>table text · key · value; sets the entry.</summary>
    Put = 2,
    /// <summary>table text · key; removes the entry.</summary>
    Remove = 3,
    /// <summary>topic id · name · partitions i32 · settings (count, then name and value each).</summary>
    CreateTopic = 4,
    /// <summary>topic id.</summary>
    DeleteTopic = 5,
    /// <summary>topic id · total i32.</summary>
    AddPartitions = 6,
    /// <summary>topic id · settings.</summary>
    SetConfig = 7,
    /// <summary>topic id · partition i32 · new log start i64.</summary>
    LogStart = 8,
    /// <summary>topic id · partition i32 · leader epoch i32 · its first offset i64.</summary>
    Epoch = 9,
    /// <summary>start count i32.</summary>
    Start = 10,
    /// <summary>topic id · partition i32 · block: compaction's "replace these segments by that", as <see cref="Compaction.Replacement"/> lays it down.</summary>
    Replace = 17,
    /// <summary>topic id · partition i32 · base offset i64: the active segment is closed, and a new one begins there, empty for now.</summary>
    Roll = 18,
}
