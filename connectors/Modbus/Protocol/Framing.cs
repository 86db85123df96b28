using System.Buffers.Binary;

namespace IotGateway.Connectors.Modbus.Protocol;

/// <summary>
/// The MBAP header (TCP §3.1.3): transaction id, protocol id 0, length of what follows, unit id; all big-endian. A TCP stream
/// has no frames: one read may hold half a frame or several, so the caller keeps what <see cref="TryRead"/> did not consume.
/// </summary>
internal static class Framing
{
    /// <summary>Writes a header for a PDU of the given length.</summary>
    public static void WriteHeader(Span<byte> frame, ushort transaction, byte unit, int pduLength)
    {
        BinaryPrimitives.WriteUInt16BigEndian(frame, transaction);
        BinaryPrimitives.WriteUInt16BigEndian(frame[2..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(frame[4..], (ushort)(pduLength + 1));
        frame[6] = unit;
    }

    /// <summary>Looks for one frame at the start of the bytes received.</summary>
    /// <param name="received">Everything not consumed yet.</param>
    /// <param name="frame">The frame found.</param>
    /// <param name="pdu">Its PDU, within <paramref name="received"/>.</param>
    public static FrameResult TryRead(ReadOnlySpan<byte> received, out FrameHeader frame, out ReadOnlySpan<byte> pdu)
    {
        frame = default;
        pdu = default;
        // The first six bytes already tell garbage from a frame; waiting for a nonsense length would hang the stream.
        if (received.Length >= 4 && BinaryPrimitives.ReadUInt16BigEndian(received[2..]) != 0) return FrameResult.Garbage;
        if (received.Length < 6) return FrameResult.NeedMore;
        var length = BinaryPrimitives.ReadUInt16BigEndian(received[4..]);
        // Unit and function code at least; unit and the largest PDU at most.
        if (length is < 2 or > Limits.Pdu + 1) return FrameResult.Garbage;
        if (received.Length < 6 + length) return FrameResult.NeedMore;
        frame = new(BinaryPrimitives.ReadUInt16BigEndian(received), received[6], 6 + length);
        pdu = received[Limits.Header..(6 + length)];
        return FrameResult.Frame;
    }
}

/// <summary>What <see cref="Framing.TryRead"/> found.</summary>
internal enum FrameResult
{
    /// <summary>Not enough bytes yet.</summary>
    NeedMore,

    /// <summary>A whole frame.</summary>
    Frame,

    /// <summary>No Modbus; the stream can not be trusted any more.</summary>
    Garbage,
}

/// <summary>Header of a received frame.</summary>
/// <param name="Transaction">Transaction id.</param>
/// <param name="Unit">Unit id.</param>
/// <param name="Length">Bytes of the whole frame, header included.</param>
internal readonly record struct FrameHeader(ushort Transaction, byte Unit, int Length);
