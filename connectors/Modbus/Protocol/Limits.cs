namespace IotGateway.Connectors.Modbus.Protocol;

/// <summary>Sizes fixed by the specifications: "AP" is the Modbus Application Protocol V1.1b3, "TCP" is Messaging on TCP/IP V1.0b.</summary>
internal static class Limits
{
    /// <summary>MBAP header: transaction, protocol, length, unit (TCP §3.1.3).</summary>
    public const int Header = 7;

    /// <summary>Largest PDU (AP §4.1).</summary>
    public const int Pdu = 253;

    /// <summary>Largest frame on TCP (AP §4.1).</summary>
    public const int Frame = Header + Pdu;

    /// <summary>Most registers in one read, function codes 3 and 4 (AP §6.3, §6.4).</summary>
    public const int ReadRegisters = 125;

    /// <summary>Most coils or discrete inputs in one read, function codes 1 and 2 (AP §6.1, §6.2).</summary>
    public const int ReadBits = 2000;

    /// <summary>Most registers in one write, function code 16 (AP §6.12).</summary>
    public const int WriteRegisters = 123;

    /// <summary>Most coils in one write, function code 15 (AP §6.11).</summary>
    public const int WriteBits = 1968;

    /// <summary>Addresses of each area are 0…65535 (AP §4.4).</summary>
    public const int Addresses = 65536;
}
