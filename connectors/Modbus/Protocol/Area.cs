namespace IotGateway.Connectors.Modbus.Protocol;

/// <summary>The four primary tables of the data model (AP §4.3).</summary>
internal enum Area : byte
{
    /// <summary>Single bits, read and write.</summary>
    Coil,

    /// <summary>Single bits, read only.</summary>
    Discrete,

    /// <summary>16 bit registers, read only.</summary>
    Input,

    /// <summary>16 bit registers, read and write.</summary>
    Holding,
}

/// <summary>What follows from an area.</summary>
internal static class Areas
{
    /// <summary>Whether its elements are single bits.</summary>
    public static bool IsBits(this Area area) => area is Area.Coil or Area.Discrete;

    /// <summary>Whether it can be written at all.</summary>
    public static bool IsWritable(this Area area) => area is Area.Coil or Area.Holding;

    /// <summary>The function that reads it.</summary>
    public static FunctionCode ReadFunction(this Area area) => area switch
    {
        Area.Coil => FunctionCode.ReadCoils,
        Area.Discrete => FunctionCode.ReadDiscreteInputs,
        Area.Input => FunctionCode.ReadInputRegisters,
        _ => FunctionCode.ReadHoldingRegisters,
    };
}
