using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus.Values;

/// <summary>How a tag's registers or bits are read; the names are those written in configuration.</summary>
public enum RegisterType
{
    /// <summary>A coil, a discrete input, a bit of a register, or a register that is not 0.</summary>
    Bool,
    /// <summary>Signed, one register.</summary>
    Int16,
    /// <summary>Unsigned, one register.</summary>
    UInt16,
    /// <summary>Signed, two registers.</summary>
    Int32,
    /// <summary>Unsigned, two registers.</summary>
    UInt32,
    /// <summary>Signed, four registers.</summary>
    Int64,
    /// <summary>Unsigned, four registers.</summary>
    UInt64,
    /// <summary>IEEE 754 binary32, two registers.</summary>
    Float32,
    /// <summary>IEEE 754 binary64, four registers.</summary>
    Float64,
    /// <summary>Text, two characters per register, up to the first NUL.</summary>
    String,
    /// <summary>Octets, two per register.</summary>
    Bytes,
}

/// <summary>What follows from a type.</summary>
internal static class RegisterTypes
{
    /// <summary>Registers of one value; <paramref name="length"/> is the number of octets of text and octets.</summary>
    public static int Registers(this RegisterType type, int length) => type switch
    {
        RegisterType.Int32 or RegisterType.UInt32 or RegisterType.Float32 => 2,
        RegisterType.Int64 or RegisterType.UInt64 or RegisterType.Float64 => 4,
        RegisterType.String or RegisterType.Bytes => (length + 1) / 2,
        _ => 1,
    };

    /// <summary>Whether it is an integer.</summary>
    public static bool IsInteger(this RegisterType type) => type is >= RegisterType.Int16 and <= RegisterType.UInt64;

    /// <summary>Whether it is floating point.</summary>
    public static bool IsFloat(this RegisterType type) => type is RegisterType.Float32 or RegisterType.Float64;

    /// <summary>As written in configuration.</summary>
    public static string Word(this RegisterType type) => type switch
    {
        RegisterType.Bool => "bool", RegisterType.Int16 => "int16", RegisterType.UInt16 => "uint16", RegisterType.Int32 => "int32",
        RegisterType.UInt32 => "uint32", RegisterType.Int64 => "int64", RegisterType.UInt64 => "uint64", RegisterType.Float32 => "float32",
        RegisterType.Float64 => "float64", RegisterType.String => "string", _ => "bytes",
    };

    /// <summary>Type of the unscaled value.</summary>
    public static DataType DataType(this RegisterType type) => type switch
    {
        RegisterType.Bool => Sdk.Data.DataType.Bool,
        RegisterType.Int16 => Sdk.Data.DataType.Int16,
        RegisterType.UInt16 => Sdk.Data.DataType.UInt16,
        RegisterType.Int32 => Sdk.Data.DataType.Int32,
        RegisterType.UInt32 => Sdk.Data.DataType.UInt32,
        RegisterType.Int64 => Sdk.Data.DataType.Int64,
        RegisterType.UInt64 => Sdk.Data.DataType.UInt64,
        RegisterType.Float32 => Sdk.Data.DataType.Float32,
        RegisterType.Float64 => Sdk.Data.DataType.Float64,
        RegisterType.String => Sdk.Data.DataType.String,
        _ => Sdk.Data.DataType.Bytes,
    };
}
