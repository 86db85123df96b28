using IotGateway.Log.Bytes;

namespace IotGateway.Log.Scrub;

/// <summary>How far a pass of the scrubber has come, as its table keeps it over restarts.</summary>
/// <param name="Started">When the pass began, ms.</param>
/// <param name="Topic">Topic it is in; topics are taken in the order of their ids.</param>
/// <param name="Partition">Partition.</param>
/// <param name="Offset">First offset of the next segment.</param>
/// <param name="Bytes">Bytes read so far.</param>
/// <param name="Finished">Whether all was read; the next pass waits for its time.</param>
readonly record struct ScrubPlace(long Started, Guid Topic, int Partition, long Offset, long Bytes, bool Finished)
{
    public const string Table = "log.scrub";

    public byte[] Write()
    {
        var to = new ByteWriter(64);
        to.Long(Started);
        to.Id(Topic);
        to.Int(Partition);
        to.Long(Offset);
        to.Long(Bytes);
        to.Byte(Finished ? (byte)1 : (byte)0);
        return to.Written.ToArray();
    }

    public static ScrubPlace Read(ReadOnlySpan<byte> value)
    {
        var from = new ByteReader(value);
        return new(from.Long(), from.Id(), from.Int(), from.Long(), from.Long(), from.Byte() == 1);
    }

    /// <summary>Whether a segment comes at or after this place.</summary>
    public bool IsBefore(Guid topic, int partition, long offset)
        => Topic.CompareTo(topic) is not 0 and var order ? order < 0 : Partition != partition ? Partition < partition : Offset <= offset;
}
