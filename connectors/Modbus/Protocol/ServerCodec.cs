using System.Buffers.Binary;

namespace IotGateway.Connectors.Modbus.Protocol;

/// <summary>The server's side: reads request PDUs and writes reply PDUs. Checks what AP §6 asks a server to check before addresses.</summary>
internal static class ServerCodec
{
    /// <summary>Reads a request; the result is <see cref="ExceptionCode.None"/>, or the exception to answer with.</summary>
    public static ExceptionCode TryRead(byte unit, ReadOnlyMemory<byte> pdu, out Request request)
    {
        var s = pdu.Span;
        request = new(unit, (FunctionCode)s[0], 0, 0);
        if (!Enum.IsDefined(request.Function)) return ExceptionCode.IllegalFunction;
        if (s.Length < 5) return ExceptionCode.IllegalDataValue;
        var second = BinaryPrimitives.ReadUInt16BigEndian(s[3..]);
        request = request with { Address = BinaryPrimitives.ReadUInt16BigEndian(s[1..]), Quantity = request.IsRead ? second : (ushort)1 };
        var valid = request.Function switch
        {
            FunctionCode.ReadCoils or FunctionCode.ReadDiscreteInputs => s.Length == 5 && second is >= 1 and <= Limits.ReadBits,
            FunctionCode.ReadHoldingRegisters or FunctionCode.ReadInputRegisters => s.Length == 5 && second is >= 1 and <= Limits.ReadRegisters,
            FunctionCode.WriteSingleCoil => s.Length == 5 && second is 0 or 0xFF00,
            FunctionCode.WriteSingleRegister => s.Length == 5,
            FunctionCode.MaskWriteRegister => s.Length == 7,
            FunctionCode.WriteMultipleCoils => second is >= 1 and <= Limits.WriteBits && s.Length == 6 + (second + 7) / 8 && s[5] == s.Length - 6,
            _ => second is >= 1 and <= Limits.WriteRegisters && s.Length == 6 + second * 2 && s[5] == s.Length - 6,
        };
        if (!valid) return ExceptionCode.IllegalDataValue;
        if (request.Function is FunctionCode.WriteMultipleCoils or FunctionCode.WriteMultipleRegisters)
            request = request with { Quantity = second, Data = pdu[6..] };
        else if (!request.IsRead)
            request = request with { Data = pdu[3..] };
        return ExceptionCode.None;
    }

    /// <summary>Writes the reply frame to a read; returns its length.</summary>
    public static int WriteData(Span<byte> frame, ushort transaction, in Request request, ReadOnlySpan<byte> data)
    {
        frame[Limits.Header] = (byte)request.Function;
        frame[Limits.Header + 1] = (byte)data.Length;
        data.CopyTo(frame[(Limits.Header + 2)..]);
        Framing.WriteHeader(frame, transaction, request.Unit, 2 + data.Length);
        return Limits.Header + 2 + data.Length;
    }

    /// <summary>Writes the reply frame to a write; returns its length.</summary>
    public static int WriteEcho(Span<byte> frame, ushort transaction, in Request request)
    {
        var pdu = frame[Limits.Header..];
        pdu[0] = (byte)request.Function;
        BinaryPrimitives.WriteUInt16BigEndian(pdu[1..], request.Address);
        var length = 5;
        if (request.Function is FunctionCode.WriteMultipleCoils or FunctionCode.WriteMultipleRegisters)
            BinaryPrimitives.WriteUInt16BigEndian(pdu[3..], request.Quantity);
        else
        {
            request.Data.Span.CopyTo(pdu[3..]);
            length = 3 + request.Data.Length;
        }
        Framing.WriteHeader(frame, transaction, request.Unit, length);
        return Limits.Header + length;
    }

    /// <summary>Writes an exception reply; returns its length.</summary>
    public static int WriteException(Span<byte> frame, ushort transaction, byte unit, byte function, ExceptionCode code)
    {
        frame[Limits.Header] = (byte)(function | 0x80);
        frame[Limits.Header + 1] = (byte)code;
        Framing.WriteHeader(frame, transaction, unit, 2);
        return Limits.Header + 2;
    }
}
