using System.Globalization;
using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk.Data;

namespace Modbus.Tests.Values;

public sealed class ConversionTests
{
    static Conversion Scaled(RegisterType type, string scale, string offset = "0")
        => new() { Type = type, Scaling = new(decimal.Parse(scale, CultureInfo.InvariantCulture), decimal.Parse(offset, CultureInfo.InvariantCulture)) };

    [Theory]
    [InlineData("0495", "0.1", "0", "117.3")]
    [InlineData("0001", "0.1", "0", "0.1")]
    [InlineData("FFFF", "0.01", "-273.15", "382.20")]
    [InlineData("0000", "0.1", "-40", "-40.0")]
    [InlineData("0003", "10", "0", "30")]
    public void Scaling_is_decimal(string wire, string scale, string offset, string text)
    {
        var value = Scaled(RegisterType.UInt16, scale, offset).Decode(Convert.FromHexString(wire));
        Assert.Equal(DataType.Decimal, value.Type);
        Assert.Equal(text, value.ToString());
    }

    [Fact]
    public void Every_scaled_register_comes_back_as_it_was()
    {
        var conversion = Scaled(RegisterType.Int16, "0.1", "-12.5");
        for (var raw = 0; raw <= ushort.MaxValue; raw++)
        {
            byte[] wire = [(byte)(raw >> 8), (byte)raw];
            Assert.Equal(wire, conversion.Encode(conversion.Decode(wire)));
        }
    }

    [Fact]
    public void A_written_value_takes_the_nearest_step()
    {
        var conversion = Scaled(RegisterType.UInt16, "0.1");
        Assert.Equal("0258", Convert.ToHexString(conversion.Encode(Value.Of(60))));
        Assert.Equal("0258", Convert.ToHexString(conversion.Encode(Value.Of(60.04))));
        Assert.Equal("0259", Convert.ToHexString(conversion.Encode(Value.Of(60.05m))));
    }

    [Fact]
    public void A_scaled_float_is_the_decimal_it_stands_for()
    {
        var value = Scaled(RegisterType.Float32, "0.1").Decode(Convert.FromHexString("41A8CCCD"));
        Assert.Equal(2.11, value.AsDouble);
        Assert.True(double.IsNaN(Scaled(RegisterType.Float32, "0.1").Decode(Convert.FromHexString("7FC00000")).AsDouble));
    }

    [Theory]
    [InlineData(RegisterType.UInt16, "65536"), InlineData(RegisterType.UInt16, "-1"), InlineData(RegisterType.Int16, "32768")]
    [InlineData(RegisterType.UInt32, "4294967296"), InlineData(RegisterType.Int16, "1.5"), InlineData(RegisterType.Float32, "NaN")]
    [InlineData(RegisterType.Float32, "1e39"), InlineData(RegisterType.UInt64, "-1"), InlineData(RegisterType.Int64, "1e30")]
    public void A_value_beyond_the_type_is_refused(RegisterType type, string number)
        => Assert.Throws<ArgumentException>(() => new Conversion { Type = type }.Encode(Value.Of(double.Parse(number, CultureInfo.InvariantCulture))));

    [Fact]
    public void A_bit_is_taken_from_its_register()
    {
        byte[] wire = [0x80, 0x08];
        var set = Enumerable.Range(0, 16).Where(bit => new Conversion { Type = RegisterType.Bool, Bit = bit }.Decode(wire).AsBool);
        Assert.Equal([3, 15], set);
        var swapped = Enumerable.Range(0, 16).Where(bit => new Conversion { Type = RegisterType.Bool, Bit = bit, Order = new(false, true) }.Decode(wire).AsBool);
        Assert.Equal([7, 11], swapped);
    }

    [Fact]
    public void Enumerations_have_labels_both_ways()
    {
        var conversion = new Conversion { Type = RegisterType.UInt16, Labels = new Dictionary<long, string> { [0] = "Stopped", [3] = "Running" } };
        Assert.Equal("Running", conversion.Label(conversion.Decode([0, 3])));
        Assert.Null(conversion.Label(conversion.Decode([0, 4])));
        Assert.Equal("0003", Convert.ToHexString(conversion.Encode(Value.Of("running"))));
        Assert.Throws<ArgumentException>(() => conversion.Encode(Value.Of("Flying")));
    }
}
