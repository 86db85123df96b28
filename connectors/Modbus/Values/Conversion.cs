using System.Buffers.Binary;
using System.Globalization;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus.Values;

/// <summary>One tag's whole way between registers and its value: type, order, bit, scaling, labels. Immutable.</summary>
internal sealed class Conversion
{
    /// <summary>Register type.</summary>
    public required RegisterType Type { get; init; }

    /// <summary>Byte order.</summary>
    public ByteOrder Order { get; init; }

    /// <summary>Octets of text and octets.</summary>
    public int Length { get; init; }

    /// <summary>Bit within the register, 0 = least significant; null: the whole register.</summary>
    public int? Bit { get; init; }

    /// <summary>Scaling; null: none.</summary>
    public Scaling? Scaling { get; init; }

    /// <summary>Labels of an enumeration's values; null: none.</summary>
    public IReadOnlyDictionary<long, string>? Labels { get; init; }

    /// <summary>Registers read for one value.</summary>
    public int Registers => Type.Registers(Length);

    /// <summary>Type of the tag's values.</summary>
    public DataType Result => Scaling is null ? Type.DataType() : Scaling.Result(Type);

    /// <summary>Registers to value.</summary>
    public Value Decode(ReadOnlySpan<byte> wire)
    {
        if (Bit is { } bit)
        {
            var word = BinaryPrimitives.ReadUInt16BigEndian(wire);
            return Value.Of(((Order.BytesSwapped ? BinaryPrimitives.ReverseEndianness(word) : word) >> bit & 1) != 0);
        }
        var raw = RegisterCodec.Decode(Type, Order, Length, wire);
        return Scaling is null ? raw : Scaling.Apply(raw);
    }

    /// <summary>Label of a value, if it has one.</summary>
    public string? Label(Value value)
        => Labels is not null && Type.IsInteger() && Scaling is null
            && (value.Type != DataType.UInt64 || value.AsUInt64 <= long.MaxValue)
            && Labels.TryGetValue(value.AsInt64, out var label) ? label : null;

    /// <summary>The one bit a value sets.</summary>
    public static bool EncodeBit(Value value) => value.Type switch
    {
        DataType.Bool => value.AsBool,
        _ when value.IsNumber && value.AsDouble is 0 or 1 => value.AsDouble != 0,
        _ => throw new ArgumentException($"'{value}' is no bool; allowed are true, false, 0 and 1."),
    };

    /// <summary>Value to registers. Not for tags that are one bit of a register.</summary>
    /// <exception cref="ArgumentException">The value does not fit the tag; the message says why.</exception>
    public byte[] Encode(Value value) => RegisterCodec.Encode(Type, Order, Length, Raw(value));

    Value Raw(Value value)
    {
        switch (Type)
        {
            case RegisterType.Bool: return Value.Of(EncodeBit(value));
            case RegisterType.String: return value.Type == DataType.String ? value : throw Wrong(value);
            case RegisterType.Bytes: return value.Type == DataType.Bytes ? value : throw Wrong(value);
        }
        if (value.Type == DataType.String && Labels is not null) return FromLabel(value.AsString);
        if (!value.IsNumber) throw Wrong(value);
        if (!value.IsFinite) throw new ArgumentException($"'{value}' is no finite number.");
        return Type switch
        {
            RegisterType.Float32 when Scaling is null => Float32(value.AsDouble),
            RegisterType.Float64 when Scaling is null => Value.Of(value.AsDouble),
            RegisterType.Float32 => Float32((double)Scaled(value)),
            RegisterType.Float64 => Value.Of((double)Scaled(value)),
            _ => Integer(value),
        };
    }

    static Value Float32(double number)
        => float.IsFinite((float)number) ? Value.Of((float)number) : throw new ArgumentException($"{number} is beyond the range of float32.");

    decimal Scaled(Value value)
    {
        try
        {
            var number = ToDecimal(value);
            return Scaling is null ? number : Scaling.Remove(number);
        }
        catch (OverflowException e)
        {
            throw new ArgumentException($"'{value}' is beyond the range of the tag.", e);
        }
    }

    Value Integer(Value value)
    {
        var exact = Scaled(value);
        // Without a scale a fraction can not be meant; with one, the nearest step is.
        if (Scaling is null && decimal.Truncate(exact) != exact) throw new ArgumentException($"'{value}' is no whole number, and the tag is of type {Type.Word()}.");
        var raw = decimal.Round(exact, MidpointRounding.AwayFromZero);
        var (min, max) = Range(Type);
        if (raw < min || raw > max)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"'{value}' is beyond the range of {Type.Word()}: raw {raw}, allowed {min} to {max}."));
        return FromDecimal(raw);
    }

    Value FromDecimal(decimal raw) => Type switch
    {
        RegisterType.Int16 => Value.Of((short)raw),
        RegisterType.UInt16 => Value.Of((ushort)raw),
        RegisterType.Int32 => Value.Of((int)raw),
        RegisterType.UInt32 => Value.Of((uint)raw),
        RegisterType.Int64 => Value.Of((long)raw),
        _ => Value.Of((ulong)raw),
    };

    Value FromLabel(string label)
    {
        foreach (var (number, name) in Labels!)
            if (string.Equals(name, label, StringComparison.OrdinalIgnoreCase)) return FromDecimal(number);
        throw new ArgumentException($"'{label}' is none of the tag's values; allowed are {string.Join(", ", Labels.Values)}.");
    }

    ArgumentException Wrong(Value value) => new($"A value of type {value.Type} can not be written to a tag of type {Type.Word()}.");

    static decimal ToDecimal(Value value) => value.Type switch
    {
        DataType.Decimal => value.AsDecimal,
        DataType.UInt64 => value.AsUInt64,
        DataType.Float32 => (decimal)value.AsFloat32,
        DataType.Float64 => (decimal)value.AsDouble,
        _ => value.AsInt64,
    };

    static (decimal Min, decimal Max) Range(RegisterType type) => type switch
    {
        RegisterType.Int16 => (short.MinValue, short.MaxValue),
        RegisterType.UInt16 => (0, ushort.MaxValue),
        RegisterType.Int32 => (int.MinValue, int.MaxValue),
        RegisterType.UInt32 => (0, uint.MaxValue),
        RegisterType.Int64 => (long.MinValue, long.MaxValue),
        _ => (0, ulong.MaxValue),
    };
}
