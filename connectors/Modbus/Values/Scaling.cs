using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus.Values;

/// <summary>
/// Raw number ⇄ engineering units: <c>value = raw × scale + offset</c>. In decimal, so that 1173 × 0.1 is 117.3 and not
/// 117.30000000000001. Integers become decimals rounded to the digits of scale and offset; floating point becomes float64.
/// </summary>
internal sealed class Scaling
{
    readonly decimal _scale, _offset;
    readonly int _digits;

    /// <summary>Makes one; a scale of 0 is a configuration error caught earlier.</summary>
    public Scaling(decimal scale, decimal offset)
    {
        (_scale, _offset) = (scale, offset);
        _digits = Math.Max(scale.Scale, offset.Scale);
    }

    /// <summary>Type of the scaled value.</summary>
    public static DataType Result(RegisterType raw) => raw.IsFloat() ? DataType.Float64 : DataType.Decimal;

    /// <summary>Raw to engineering units.</summary>
    public Value Apply(Value raw)
    {
        if (raw.Type is DataType.Float32 or DataType.Float64) return Value.Of(ApplyFloat(raw));
        var number = raw.Type == DataType.UInt64 ? raw.AsUInt64 : (decimal)raw.AsInt64;
        return Value.Of(decimal.Round(number * _scale + _offset, _digits, MidpointRounding.AwayFromZero));
    }

    /// <summary>Engineering units to the nearest raw number.</summary>
    /// <exception cref="OverflowException">It is beyond any raw type.</exception>
    public decimal Remove(decimal value) => (value - _offset) / _scale;

    // A float32 is taken as the decimal it stands for (21.1, not 21.100000381); what decimal can not hold is scaled in binary.
    double ApplyFloat(Value raw)
    {
        var number = raw.AsDouble;
        if (!(Math.Abs(number) < 1e20) || (number != 0 && Math.Abs(number) < 1e-10)) return number * (double)_scale + (double)_offset;
        var exact = raw.Type == DataType.Float32 ? (decimal)raw.AsFloat32 : (decimal)number;
        return (double)(exact * _scale + _offset);
    }
}
