using System.Runtime.CompilerServices;
using IotGateway.Sdk.Data;

namespace IotGateway.Sdk.Tests;

public sealed class ValueTests
{
    static readonly DateTime Moment = new(2026, 11, 20, 8, 0, 0, 123, DateTimeKind.Utc);

    [Fact]
    public void Is_at_most_32_bytes() => Assert.True(Unsafe.SizeOf<Value>() <= 32, $"{Unsafe.SizeOf<Value>()} bytes");

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(255)]
    [InlineData(long.MaxValue)]
    public void Keeps_integers_and_their_kind(long number)
    {
        unchecked
        {
            AssertInteger(DataType.Int8, (sbyte)number, Value.Of((sbyte)number));
            AssertInteger(DataType.Int16, (short)number, Value.Of((short)number));
            AssertInteger(DataType.Int32, (int)number, Value.Of((int)number));
            AssertInteger(DataType.Int64, number, Value.Of(number));
            AssertInteger(DataType.UInt8, (byte)number, Value.Of((byte)number));
            AssertInteger(DataType.UInt16, (ushort)number, Value.Of((ushort)number));
            AssertInteger(DataType.UInt32, (uint)number, Value.Of((uint)number));
            Assert.Equal((ulong)number, Value.Of((ulong)number).AsUInt64);
        }
    }

    static void AssertInteger(DataType type, long expected, Value value)
    {
        Assert.Equal((type, expected), (value.Type, value.AsInt64));
        Assert.Equal(expected, value.AsDouble);
        Assert.Equal(expected.ToString(System.Globalization.CultureInfo.InvariantCulture), value.ToString());
    }

    [Fact]
    public void Refuses_an_uint64_that_no_int64_holds() => Assert.Throws<OverflowException>(() => Value.Of(ulong.MaxValue).AsInt64);

    [Theory]
    [InlineData(0.1f)]
    [InlineData(-0f)]
    [InlineData(float.MaxValue)]
    [InlineData(float.Epsilon)]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Keeps_float32_to_the_bit(float number)
    {
        var value = Value.Of(number);
        Assert.Equal((DataType.Float32, BitConverter.SingleToInt32Bits(number)), (value.Type, BitConverter.SingleToInt32Bits(value.AsFloat32)));
        Assert.Equal(float.IsFinite(number), value.IsFinite);
        Assert.Equal(value, Value.Of(number));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(-0.0)]
    [InlineData(double.MaxValue)]
    [InlineData(double.Epsilon)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Keeps_float64_to_the_bit(double number)
    {
        var value = Value.Of(number);
        Assert.Equal((DataType.Float64, BitConverter.DoubleToInt64Bits(number)), (value.Type, BitConverter.DoubleToInt64Bits(value.AsDouble)));
        Assert.Equal(double.IsFinite(number), value.IsFinite);
        Assert.Equal(value, Value.Of(number));
    }

    [Fact]
    public void Keeps_decimals_with_their_scale()
    {
        foreach (var number in new[] { 0m, 117.3m, 1.50m, -0.0000000000000000000000000001m, decimal.MaxValue, decimal.MinValue })
        {
            var value = Value.Of(number);
            Assert.Equal(DataType.Decimal, value.Type);
            Assert.Equal(decimal.GetBits(number), decimal.GetBits(value.AsDecimal));
            Assert.Equal((double)number, value.AsDouble);
        }
    }

    [Fact]
    public void Keeps_text_time_bool_and_nothing()
    {
        Assert.Equal("Größe", Value.Of("Größe").AsString);
        Assert.Equal((Moment, DateTimeKind.Utc), (Value.Of(Moment).AsTime, Value.Of(Moment).AsTime.Kind));
        Assert.True(Value.Of(true).AsBool);
        Assert.False(Value.Of(false).AsBool);
        Assert.Equal(1, Value.Of(true).AsInt64);
        Assert.True(Value.None.IsNone);
        Assert.Equal(default, Value.None);
    }

    [Fact]
    public void Keeps_slices_of_bytes_and_arrays()
    {
        byte[] bytes = [9, 1, 2, 3, 9];
        Assert.Equal([1, 2, 3], Value.Of(new ReadOnlyMemory<byte>(bytes, 1, 3)).AsBytes.ToArray());
        Assert.Empty(Value.Of(ReadOnlyMemory<byte>.Empty).AsBytes.ToArray());
        Value[] items = [Value.Of(1), Value.Of("two"), Value.Of(3.0)];
        Assert.Equal([Value.Of("two"), Value.Of(3.0)], Value.Of(new ReadOnlyMemory<Value>(items, 1, 2)).AsArray.ToArray());
    }

    [Fact]
    public void Keeps_structures_in_order()
    {
        var value = Value.Of([new("b", Value.Of(1)), new("a", Value.Of("x"))]);
        Assert.Equal(["b", "a"], value.AsStructure.Select(f => f.Key));
        Assert.Equal("{b: 1, a: x}", value.ToString());
    }

    public static TheoryData<int> Kinds => [.. Enumerable.Range(0, Samples().Length)];

    // Each sample twice, made anew, so that equality is of content.
    static Value[] Samples() =>
    [
        Value.None, Value.Of(true), Value.Of(false), Value.Of((sbyte)1), Value.Of((short)1), Value.Of(1), Value.Of(1L), Value.Of((byte)1), Value.Of((ushort)1),
        Value.Of(1u), Value.Of(1UL), Value.Of(1f), Value.Of(1d), Value.Of(1m), Value.Of("1"), Value.Of(Moment), Value.Of(new byte[] { 1 }.AsMemory()),
        Value.Of(new[] { Value.Of(1) }.AsMemory()), Value.Of([new("one", Value.Of(1))]), Value.Of("2"), Value.Of(new byte[] { 2 }.AsMemory()),
    ];

    [Theory, MemberData(nameof(Kinds))]
    public void Equals_only_the_same_kind_and_content(int index)
    {
        var (first, second) = (Samples(), Samples());
        for (var other = 0; other < first.Length; other++)
        {
            Assert.Equal(other == index, first[index] == second[other]);
            Assert.Equal(other != index, first[index] != second[other]);
        }
        Assert.Equal(first[index].GetHashCode(), second[index].GetHashCode());
        Assert.True(first[index].Equals((object)second[index]));
    }

    [Fact]
    public void Says_which_kind_it_is_when_asked_for_another()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Value.Of(1.5).AsString);
        Assert.Equal("The value is of type Float64, not String.", error.Message);
        Assert.Throws<InvalidOperationException>(() => Value.Of("x").AsInt64);
        Assert.Throws<InvalidOperationException>(() => Value.Of(1).AsUInt64);
        Assert.Throws<InvalidOperationException>(() => Value.None.AsBool);
    }

    [Fact]
    public void Does_not_allocate()
    {
        var bytes = new byte[16].AsMemory();
        var items = new Value[4].AsMemory();
        Assert.True(RoundTrip(bytes, items, 10) > 0);
        // A collection in between charges the rest of a thread's allocation area to it: the best of five rounds is the code's own.
        var allocated = Enumerable.Range(0, 5).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.True(RoundTrip(bytes, items, 10_000) > 0);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Assert.True(allocated == 0, $"{allocated} bytes for 10,000 rounds");
    }

    static double RoundTrip(ReadOnlyMemory<byte> bytes, ReadOnlyMemory<Value> items, int rounds)
    {
        double sum = 0;
        for (var i = 1; i <= rounds; i++)
        {
            Span<Value> all =
            [
                Value.Of(true), Value.Of((sbyte)1), Value.Of((short)i), Value.Of(i), Value.Of((long)i), Value.Of((byte)1), Value.Of((ushort)i), Value.Of((uint)i),
                Value.Of((ulong)i), Value.Of((float)i), Value.Of((double)i), Value.Of((decimal)i),
            ];
            foreach (ref readonly var value in all)
            {
                sum += value.AsDouble;
                if (value.Equals(all[0])) sum++;
                sum += value.GetHashCode() & 1;
            }
            sum += Value.Of(bytes).AsBytes.Length + Value.Of(items).AsArray.Length + Value.Of("text").AsString.Length + Value.Of(Moment).AsTime.Second;
        }
        return sum;
    }
}
