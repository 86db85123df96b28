namespace IotGateway.Connectors.Modbus.Protocol;

/// <summary>Exception codes a server answers with (AP §7).</summary>
internal enum ExceptionCode : byte
{
    /// <summary>No exception.</summary>
    None = 0,
    /// <summary>The function is not allowed or not implemented.</summary>
    IllegalFunction = 1,
    /// <summary>Some address of the request does not exist.</summary>
    IllegalDataAddress = 2,
    /// <summary>A value or a quantity is not allowed.</summary>
    IllegalDataValue = 3,
    /// <summary>An unrecoverable error while acting.</summary>
    ServerDeviceFailure = 4,
    /// <summary>Accepted; the work takes longer.</summary>
    Acknowledge = 5,
    /// <summary>Busy with a long command; try later.</summary>
    ServerDeviceBusy = 6,
    /// <summary>The program function can not be performed (older devices).</summary>
    NegativeAcknowledge = 7,
    /// <summary>Parity error in extended memory.</summary>
    MemoryParityError = 8,
    /// <summary>A gateway has no path to the unit.</summary>
    GatewayPathUnavailable = 10,
    /// <summary>A gateway got no answer from the unit.</summary>
    GatewayTargetFailedToRespond = 11,
}

/// <summary>Exception codes in words and as status.</summary>
internal static class ExceptionCodes
{
    static readonly string[] Statuses = [.. Enumerable.Range(0, 256).Select(n => "modbus:exception-" + n)];

    /// <summary>As written to records: <c>modbus:exception-2</c>. Does not allocate.</summary>
    public static string Status(this ExceptionCode code) => Statuses[(byte)code];

    /// <summary>In words, for a plant engineer.</summary>
    public static string Words(this ExceptionCode code) => code switch
    {
        ExceptionCode.IllegalFunction => "the device does not know the function",
        ExceptionCode.IllegalDataAddress => "the device has no such address",
        ExceptionCode.IllegalDataValue => "the device refuses the value or the number of registers",
        ExceptionCode.ServerDeviceFailure => "the device failed while acting",
        ExceptionCode.Acknowledge => "the device accepted the request and is still working on it",
        ExceptionCode.ServerDeviceBusy => "the device is busy",
        ExceptionCode.NegativeAcknowledge => "the device can not perform the function",
        ExceptionCode.MemoryParityError => "the device found a memory parity error",
        ExceptionCode.GatewayPathUnavailable => "the Modbus gateway has no path to the unit",
        ExceptionCode.GatewayTargetFailedToRespond => "the unit behind the Modbus gateway does not answer",
        _ => "the device answered with exception " + (byte)code,
    };
}
