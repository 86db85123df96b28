namespace IotGateway.Connectors.Modbus.Protocol;

/// <summary>Public function codes in use here (AP §5.1).</summary>
internal enum FunctionCode : byte
{
    /// <summary>AP §6.1.</summary>
    ReadCoils = 1,
    /// <summary>AP §6.2.</summary>
    ReadDiscreteInputs = 2,
    /// <summary>AP §6.3.</summary>
    ReadHoldingRegisters = 3,
    /// <summary>AP §6.4.</summary>
    ReadInputRegisters = 4,
    /// <summary>AP §6.5.</summary>
    WriteSingleCoil = 5,
    /// <summary>AP §6.6.</summary>
    WriteSingleRegister = 6,
    /// <summary>AP §6.11.</summary>
    WriteMultipleCoils = 15,
    /// <summary>AP §6.12.</summary>
    WriteMultipleRegisters = 16,
    /// <summary>AP §6.16: changes single bits of a register in one atomic step.</summary>
    MaskWriteRegister = 22,
}
