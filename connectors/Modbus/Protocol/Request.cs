using System.Buffers.Binary;

namespace IotGateway.Connectors.Modbus.Protocol;

/// <summary>One request: everything a reply is matched against. Immutable; writes carry their data as wire bytes.</summary>
/// <param name="Unit">Unit id; 0 is broadcast.</param>
/// <param name="Function">Function code.</param>
/// <param name="Address">First address, zero-based as on the wire.</param>
/// <param name="Quantity">How many bits or registers.</param>
/// <param name="Data">Data of a write as on the wire (see the factories); empty for reads.</param>
internal readonly record struct Request(byte Unit, FunctionCode Function, ushort Address, ushort Quantity, ReadOnlyMemory<byte> Data = default)
{
    /// <summary>Reads bits or registers.</summary>
    public static Request Read(byte unit, Area area, int address, int quantity) => new(unit, area.ReadFunction(), (ushort)address, (ushort)quantity);

    /// <summary>Writes one coil: 0xFF00 is on, 0x0000 off (AP §6.5).</summary>
    public static Request WriteCoil(byte unit, int address, bool on)
        => new(unit, FunctionCode.WriteSingleCoil, (ushort)address, 1, on ? new byte[] { 0xFF, 0 } : new byte[2]);

    /// <summary>Writes coils packed eight to a byte, the first in the lowest bit (AP §6.11).</summary>
    public static Request WriteCoils(byte unit, int address, int quantity, ReadOnlyMemory<byte> bits)
        => new(unit, FunctionCode.WriteMultipleCoils, (ushort)address, (ushort)quantity, bits);

    /// <summary>Writes one register (AP §6.6).</summary>
    public static Request WriteRegister(byte unit, int address, ReadOnlyMemory<byte> word)
        => new(unit, FunctionCode.WriteSingleRegister, (ushort)address, 1, word);

    /// <summary>Writes registers (AP §6.12).</summary>
    public static Request WriteRegisters(byte unit, int address, ReadOnlyMemory<byte> words)
        => new(unit, FunctionCode.WriteMultipleRegisters, (ushort)address, (ushort)(words.Length / 2), words);

    /// <summary>Sets a register to <c>(current AND and) OR (or AND NOT and)</c> (AP §6.16).</summary>
    public static Request MaskWrite(byte unit, int address, ushort and, ushort or)
    {
        var masks = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(masks, and);
        BinaryPrimitives.WriteUInt16BigEndian(masks.AsSpan(2), or);
        return new(unit, FunctionCode.MaskWriteRegister, (ushort)address, 1, masks);
    }

    /// <summary>Whether it goes to all units, none of which answers (AP §4.1, unit 0).</summary>
    public bool Broadcast { get; init; }

    /// <summary>Whether it changes nothing, so that it may be sent again.</summary>
    public bool IsRead => Function is >= FunctionCode.ReadCoils and <= FunctionCode.ReadInputRegisters;

    /// <summary>Data bytes of the reply to a read.</summary>
    public int ReadBytes => Function is FunctionCode.ReadCoils or FunctionCode.ReadDiscreteInputs ? (Quantity + 7) / 8 : Quantity * 2;

    /// <summary>Writes the whole frame; returns its length. The buffer holds <see cref="Limits.Frame"/> bytes.</summary>
    public int WriteTo(Span<byte> frame, ushort transaction)
    {
        var pdu = frame[Limits.Header..];
        pdu[0] = (byte)Function;
        BinaryPrimitives.WriteUInt16BigEndian(pdu[1..], Address);
        var length = 3;
        if (IsRead || Function is FunctionCode.WriteMultipleCoils or FunctionCode.WriteMultipleRegisters)
        {
            BinaryPrimitives.WriteUInt16BigEndian(pdu[3..], Quantity);
            length = 5;
        }
        if (Function is FunctionCode.WriteMultipleCoils or FunctionCode.WriteMultipleRegisters) pdu[length++] = (byte)Data.Length;
        Data.Span.CopyTo(pdu[length..]);
        length += Data.Length;
        Framing.WriteHeader(frame, transaction, Unit, length);
        return Limits.Header + length;
    }
}
