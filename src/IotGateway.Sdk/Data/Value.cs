using System.Globalization;
using System.Runtime.InteropServices;

namespace IotGateway.Sdk.Data;

/// <summary>
/// One value of any <see cref="DataType"/>, without boxing: 32 bytes. Immutable, though the memory behind
/// <see cref="AsBytes"/> and <see cref="AsArray"/> is the caller's.
/// </summary>
public readonly struct Value : IEquatable<Value>
{
    // _bits holds integers, floating point bits, ticks, the low half of a decimal, or (offset << 32 | length) of a slice of _ref.
    readonly object? _ref;
    readonly ulong _bits, _high;

    Value(DataType type, ulong bits, object? reference = null, ulong high = 0) => (Type, _bits, _ref, _high) = (type, bits, reference, high);

    /// <summary>Which kind it holds.</summary>
    public DataType Type { get; }

    /// <summary>Whether there is no value.</summary>
    public bool IsNone => Type == DataType.None;

    /// <summary>No value.</summary>
    public static Value None => default;

    /// <summary>A bool.</summary>
    public static Value Of(bool v) => new(DataType.Bool, v ? 1UL : 0);
    /// <summary>An int8.</summary>
    public static Value Of(sbyte v) => new(DataType.Int8, unchecked((ulong)v));
    /// <summary>An int16.</summary>
    public static Value Of(short v) => new(DataType.Int16, unchecked((ulong)v));
    /// <summary>An int32.</summary>
    public static Value Of(int v) => new(DataType.Int32, unchecked((ulong)v));
    /// <summary>An int64.</summary>
    public static Value Of(long v) => new(DataType.Int64, unchecked((ulong)v));
    /// <summary>A uint8.</summary>
    public static Value Of(byte v) => new(DataType.UInt8, v);
    /// <summary>A uint16.</summary>
    public static Value Of(ushort v) => new(DataType.UInt16, v);
    /// <summary>A uint32.</summary>
    public static Value Of(uint v) => new(DataType.UInt32, v);
    /// <summary>A uint64.</summary>
    public static Value Of(ulong v) => new(DataType.UInt64, v);
    /// <summary>A float32.</summary>
    public static Value Of(float v) => new(DataType.Float32, BitConverter.SingleToUInt32Bits(v));
    /// <summary>A float64.</summary>
    public static Value Of(double v) => new(DataType.Float64, BitConverter.DoubleToUInt64Bits(v));
    /// <summary>A string.</summary>
    public static Value Of(string v) => new(DataType.String, 0, v);
    /// <summary>A time; must be UTC.</summary>
    public static Value Of(DateTime v) => new(DataType.Time, (ulong)v.Ticks);
    /// <summary>Named fields, in order.</summary>
    public static Value Of(IReadOnlyList<KeyValuePair<string, Value>> v) => new(DataType.Structure, 0, v);

    /// <summary>A decimal.</summary>
    public static Value Of(decimal v)
    {
        Span<int> words = stackalloc int[4];
        decimal.GetBits(v, words);
        return new(DataType.Decimal, (uint)words[0] | (ulong)(uint)words[1] << 32, null, (uint)words[2] | (ulong)(uint)words[3] << 32);
    }

    /// <summary>Octets; the memory is not copied.</summary>
    public static Value Of(ReadOnlyMemory<byte> v) => OfSlice(DataType.Bytes, v);

    /// <summary>A list; the memory is not copied.</summary>
    public static Value Of(ReadOnlyMemory<Value> v) => OfSlice(DataType.Array, v);

    static Value OfSlice<T>(DataType type, ReadOnlyMemory<T> v)
    {
        if (!MemoryMarshal.TryGetArray(v, out var s)) s = v.ToArray();
        return new(type, (ulong)(uint)s.Offset << 32 | (uint)s.Count, s.Array);
    }

    /// <summary>The bool. Wrong kind: <see cref="InvalidOperationException"/>, as for every accessor.</summary>
    public bool AsBool => Expect(DataType.Bool)._bits != 0;

    /// <summary>Any signed or unsigned integer that fits, or a bool as 0 or 1.</summary>
    /// <exception cref="OverflowException">A uint64 above the range of int64.</exception>
    public long AsInt64 => Type switch
    {
        DataType.Int8 or DataType.Int16 or DataType.Int32 or DataType.Int64 or DataType.Bool => unchecked((long)_bits),
        DataType.UInt8 or DataType.UInt16 or DataType.UInt32 or DataType.UInt64 => checked((long)_bits),
        _ => throw Wrong("an integer"),
    };

    /// <summary>An unsigned integer.</summary>
    public ulong AsUInt64 => Type is DataType.UInt8 or DataType.UInt16 or DataType.UInt32 or DataType.UInt64 ? _bits : throw Wrong("an unsigned integer");

    /// <summary>The float32.</summary>
    public float AsFloat32 => BitConverter.UInt32BitsToSingle((uint)Expect(DataType.Float32)._bits);

    /// <summary>The string.</summary>
    public string AsString => (string)Expect(DataType.String)._ref!;

    /// <summary>The octets.</summary>
    public ReadOnlyMemory<byte> AsBytes => Slice<byte>(DataType.Bytes);

    /// <summary>The list.</summary>
    public ReadOnlyMemory<Value> AsArray => Slice<Value>(DataType.Array);

    /// <summary>The time, UTC.</summary>
    public DateTime AsTime => new((long)Expect(DataType.Time)._bits, DateTimeKind.Utc);

    /// <summary>The named fields.</summary>
    public IReadOnlyList<KeyValuePair<string, Value>> AsStructure => (IReadOnlyList<KeyValuePair<string, Value>>)Expect(DataType.Structure)._ref!;

    /// <summary>The decimal.</summary>
    public decimal AsDecimal
    {
        get
        {
            Expect(DataType.Decimal);
            ReadOnlySpan<int> words = [unchecked((int)_bits), unchecked((int)(_bits >> 32)), unchecked((int)_high), unchecked((int)(_high >> 32))];
            return new decimal(words);
        }
    }

    /// <summary>Whether it is a number or a bool, so that <see cref="AsDouble"/> works.</summary>
    public bool IsNumber => Type is >= DataType.Bool and <= DataType.Decimal;

    /// <summary>Any number, or a bool as 0 or 1, as float64 (64 bit integers and decimals may be rounded).</summary>
    public double AsDouble => Type switch
    {
        DataType.Float64 => BitConverter.UInt64BitsToDouble(_bits),
        DataType.Float32 => AsFloat32,
        DataType.Decimal => (double)AsDecimal,
        DataType.UInt64 => _bits,
        _ => AsInt64,
    };

    /// <summary>False only for NaN and infinities.</summary>
    public bool IsFinite => Type is not (DataType.Float32 or DataType.Float64) || double.IsFinite(AsDouble);

    ReadOnlyMemory<T> Slice<T>(DataType type)
    {
        Expect(type);
        return new ReadOnlyMemory<T>((T[]?)_ref, (int)(_bits >> 32), (int)(uint)_bits);
    }

    Value Expect(DataType type) => Type == type ? this : throw Wrong(type.ToString());

    InvalidOperationException Wrong(string wanted) => new($"The value is of type {Type}, not {wanted}.");

    /// <inheritdoc/>
    public bool Equals(Value other)
    {
        if (Type != other.Type) return false;
        return Type switch
        {
            DataType.String => AsString == other.AsString,
            DataType.Bytes => AsBytes.Span.SequenceEqual(other.AsBytes.Span),
            DataType.Array => AsArray.Span.SequenceEqual(other.AsArray.Span),
            DataType.Structure => AsStructure.SequenceEqual(other.AsStructure),
            _ => _bits == other._bits && _high == other._high,
        };
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Value other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Type switch
    {
        DataType.String => HashCode.Combine(Type, AsString),
        DataType.Bytes => HashCode.Combine(Type, AsBytes.Length),
        DataType.Array => HashCode.Combine(Type, AsArray.Length),
        DataType.Structure => HashCode.Combine(Type, AsStructure.Count),
        _ => HashCode.Combine(Type, _bits, _high),
    };

    /// <summary>Same kind and same content; floating point compares bits, so NaN equals NaN.</summary>
    public static bool operator ==(Value a, Value b) => a.Equals(b);

    /// <summary>The opposite of ==.</summary>
    public static bool operator !=(Value a, Value b) => !a.Equals(b);

    /// <summary>For people and logs; records are encoded by the runtime.</summary>
    public override string ToString() => Type switch
    {
        DataType.None => "",
        DataType.Bool => AsBool ? "true" : "false",
        DataType.Float32 => AsFloat32.ToString(CultureInfo.InvariantCulture),
        DataType.Float64 => AsDouble.ToString(CultureInfo.InvariantCulture),
        DataType.Decimal => AsDecimal.ToString(CultureInfo.InvariantCulture),
        DataType.String => AsString,
        DataType.Bytes => Convert.ToBase64String(AsBytes.Span),
        DataType.Time => AsTime.ToString("O", CultureInfo.InvariantCulture),
        DataType.Array => "[" + string.Join(", ", AsArray.ToArray()) + "]",
        DataType.Structure => "{" + string.Join(", ", AsStructure.Select(f => f.Key + ": " + f.Value)) + "}",
        DataType.UInt64 => AsUInt64.ToString(CultureInfo.InvariantCulture),
        _ => AsInt64.ToString(CultureInfo.InvariantCulture),
    };
}
