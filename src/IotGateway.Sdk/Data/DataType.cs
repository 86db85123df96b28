namespace IotGateway.Sdk.Data;

/// <summary>Kind of a value; written in lower camel case in configuration and records.</summary>
public enum DataType : byte
{
    /// <summary>No value.</summary>
    None,
    /// <summary>true or false.</summary>
    Bool,
    /// <summary>Signed 8 bit.</summary>
    Int8,
    /// <summary>Signed 16 bit.</summary>
    Int16,
    /// <summary>Signed 32 bit.</summary>
    Int32,
    /// <summary>Signed 64 bit.</summary>
    Int64,
    /// <summary>Unsigned 8 bit.</summary>
    UInt8,
    /// <summary>Unsigned 16 bit.</summary>
    UInt16,
    /// <summary>Unsigned 32 bit.</summary>
    UInt32,
    /// <summary>Unsigned 64 bit.</summary>
    UInt64,
    /// <summary>IEEE 754 binary32.</summary>
    Float32,
    /// <summary>IEEE 754 binary64.</summary>
    Float64,
    /// <summary>Decimal, 28 digits.</summary>
    Decimal,
    /// <summary>Text.</summary>
    String,
    /// <summary>Octets.</summary>
    Bytes,
    /// <summary>A moment, UTC, 100 ns.</summary>
    Time,
    /// <summary>A list of values.</summary>
    Array,
    /// <summary>Named fields.</summary>
    Structure,
}
