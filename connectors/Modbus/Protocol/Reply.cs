using System.Buffers.Binary;

namespace IotGateway.Connectors.Modbus.Protocol;

/// <summary>
/// Judges a reply PDU against the request that carries its transaction id. Unit, function, byte count and the echo of a write
/// must all fit; whatever does not is <see cref="ReplyKind.Mismatch"/> and its data must not be used.
/// </summary>
internal static class Reply
{
    /// <summary>Judges one reply.</summary>
    /// <param name="request">The request of the same transaction id.</param>
    /// <param name="unit">Unit id of the reply.</param>
    /// <param name="pdu">The reply without its header; at least one byte.</param>
    /// <param name="data">Data bytes of a read; empty otherwise.</param>
    /// <param name="exception">The code, where the kind is <see cref="ReplyKind.Exception"/>.</param>
    public static ReplyKind Judge(in Request request, byte unit, ReadOnlySpan<byte> pdu, out ReadOnlySpan<byte> data, out ExceptionCode exception)
    {
        data = default;
        exception = ExceptionCode.None;
        if (unit != request.Unit || pdu.IsEmpty) return ReplyKind.Mismatch;
        // AP §4.1: an exception reply has the function's highest bit set and one byte of code.
        if (pdu[0] == ((byte)request.Function | 0x80))
        {
            if (pdu.Length != 2 || pdu[1] == 0) return ReplyKind.Mismatch;
            exception = (ExceptionCode)pdu[1];
            return ReplyKind.Exception;
        }
        if (pdu[0] != (byte)request.Function) return ReplyKind.Mismatch;
        if (request.IsRead)
        {
            if (pdu.Length != 2 + request.ReadBytes || pdu[1] != request.ReadBytes) return ReplyKind.Mismatch;
            data = pdu[2..];
            return ReplyKind.Data;
        }
        return IsEcho(request, pdu) ? ReplyKind.Data : ReplyKind.Mismatch;
    }

    // AP §6.5, §6.6, §6.16 repeat the request; §6.11 and §6.12 repeat address and quantity.
    static bool IsEcho(in Request request, ReadOnlySpan<byte> pdu)
    {
        if (pdu.Length < 5 || BinaryPrimitives.ReadUInt16BigEndian(pdu[1..]) != request.Address) return false;
        return request.Function is FunctionCode.WriteMultipleCoils or FunctionCode.WriteMultipleRegisters
            ? pdu.Length == 5 && BinaryPrimitives.ReadUInt16BigEndian(pdu[3..]) == request.Quantity
            : pdu[3..].SequenceEqual(request.Data.Span);
    }
}

/// <summary>What a reply is.</summary>
internal enum ReplyKind
{
    /// <summary>The reply to the request; for a read with its data.</summary>
    Data,

    /// <summary>The device refused, with a code.</summary>
    Exception,

    /// <summary>Not the reply to this request.</summary>
    Mismatch,
}
