using IotGateway.Log.Bytes;

namespace IotGateway.Log;

/// <summary>
/// Data that was durable once and cannot be read any more: set aside, never silently dropped. What is found while the log runs is kept in a table of the
/// log, in the frame that makes it a hole, until someone has told it to the world.
/// </summary>
/// <param name="FirstSequence">First frame of the write-ahead log that is missing; -1 when it was lost from a segment.</param>
/// <param name="LastSequence">Last one.</param>
/// <param name="Topic">Topic with a hole because of it; null when no hole is known.</param>
/// <param name="Partition">Its partition; -1 when no hole is known.</param>
/// <param name="FromOffset">First offset of the hole.</param>
/// <param name="ToOffset">Offset after the hole.</param>
public sealed record QuarantinedRange(
    long FirstSequence, long LastSequence, string? Topic = null, int Partition = -1, long FromOffset = -1, long ToOffset = -1)
{
    /// <summary>The table that holds those not told yet.</summary>
    public const string Table = "log.quarantined";

    /// <summary>Its entry there, to be deleted by the unit that tells it; empty when it has none.</summary>
    public ReadOnlyMemory<byte> Key { get; private init; }

    /// <summary>Time of the last record before it; null when that is not known.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Time of the first record behind it; null when that is not known.</summary>
    public DateTimeOffset? To { get; init; }

    internal byte[] Write()
    {
        var to = new ByteWriter(64);
        to.Text(Topic ?? "");
        to.Int(Partition);
        to.Long(FromOffset);
        to.Long(ToOffset);
        to.Long(From?.ToUnixTimeMilliseconds() ?? 0);
        to.Long(To?.ToUnixTimeMilliseconds() ?? 0);
        return to.Written.ToArray();
    }

    internal static QuarantinedRange Read(ReadOnlyMemory<byte> key, ReadOnlySpan<byte> value)
    {
        var from = new ByteReader(value);
        return new(-1, -1, from.Text(), from.Int(), from.Long(), from.Long())
        {
            From = DateTimeOffset.FromUnixTimeMilliseconds(from.Long()),
            To = DateTimeOffset.FromUnixTimeMilliseconds(from.Long()),
            Key = key,
        };
    }
}
