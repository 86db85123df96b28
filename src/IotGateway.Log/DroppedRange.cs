using IotGateway.Log.Bytes;

namespace IotGateway.Log;

/// <summary>
/// Records that were deleted to make space, though no retention had come for them. Kept in a table of the log, in the frame that deletes them, until
/// someone has told it to the world: see <see cref="LogStore.Dropped"/>.
/// </summary>
/// <param name="Topic">The topic's name.</param>
/// <param name="Partition">The partition.</param>
/// <param name="FromOffset">First offset gone.</param>
/// <param name="ToOffset">Offset after the last one gone.</param>
/// <param name="From">When the first of the oldest segment was appended.</param>
/// <param name="To">When the last of the youngest was.</param>
/// <param name="Bytes">Bytes of record batches.</param>
/// <param name="DiskFull">Whether the disk was full, rather than the log's own budget used up.</param>
public sealed record DroppedRange(
    string Topic, int Partition, long FromOffset, long ToOffset, DateTimeOffset From, DateTimeOffset To, long Bytes, bool DiskFull)
{
    /// <summary>The table that holds those not told yet.</summary>
    public const string Table = "log.dropped";

    /// <summary>Its entry there, to be deleted by the unit that tells it.</summary>
    public ReadOnlyMemory<byte> Key { get; private init; }

    internal byte[] Write()
    {
        var to = new ByteWriter(128);
        to.Text(Topic);
        to.Int(Partition);
        to.Long(FromOffset);
        to.Long(ToOffset);
        to.Long(From.ToUnixTimeMilliseconds());
        to.Long(To.ToUnixTimeMilliseconds());
        to.Long(Bytes);
        to.Byte(DiskFull ? (byte)1 : (byte)0);
        return to.Written.ToArray();
    }

    internal static DroppedRange Read(ReadOnlyMemory<byte> key, ReadOnlySpan<byte> value)
    {
        var from = new ByteReader(value);
        return new(from.Text(), from.Int(), from.Long(), from.Long(), DateTimeOffset.FromUnixTimeMilliseconds(from.Long()),
            DateTimeOffset.FromUnixTimeMilliseconds(from.Long()), from.Long(), from.Byte() == 1) { Key = key };
    }
}
