namespace IotGateway.Connectors.Modbus.Config;

/// <summary>From which number the addresses after an area's name count.</summary>
public enum Addressing
{
    /// <summary><c>holding:0</c> is the first register, as on the wire.</summary>
    Zero,

    /// <summary><c>holding:1</c> is the first register, as in many manuals.</summary>
    One,
}
