using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk.Data;

namespace Modbus.Tests.Values;

public sealed class RegisterCodecTests
{
    /// <summary>The letters are taken literally here: letter i of the order names which big-endian byte is the i-th on the wire.</summary>
    [Theory]
    [InlineData("AB"), InlineData("BA")]
    [InlineData("ABCD"), InlineData("CDAB"), InlineData("BADC"), InlineData("DCBA")]
    [InlineData("ABCDEFGH"), InlineData("GHEFCDAB"), InlineData("BADCFEHG"), InlineData("HGFEDCBA")]
    public void Letters_say_which_byte_comes_when(string letters)
    {
        Assert.True(ByteOrder.TryParse(letters, out var order));
        var bigEndian = Enumerable.Range(0x41, letters.Length).Select(i => (byte)i).ToArray();
        var wire = letters.Select(c => (byte)c).ToArray();
        order.Swap(wire);
        Assert.Equal(bigEndian, wire);
        order.Swap(wire);
        Assert.Equal(letters, new string([.. wire.Select(b => (char)b)]));
    }

    [Theory]
    [InlineData(""), InlineData("A"), InlineData("ABDC"), InlineData("abcd"), InlineData("ABCDE")]
    public void Other_letters_are_refused(string letters) => Assert.False(ByteOrder.TryParse(letters, out _));

    [Theory]
    [InlineData(RegisterType.Float32, "ABCD", "41A8CCCD", "21.1")]
    [InlineData(RegisterType.Float32, "CDAB", "CCCD41A8", "21.1")]
    [InlineData(RegisterType.Float32, "BADC", "A841CDCC", "21.1")]
    [InlineData(RegisterType.Float32, "DCBA", "CDCCA841", "21.1")]
    [InlineData(RegisterType.Float64, "ABCDEFGH", "400921FB54442D18", "3.141592653589793")]
    [InlineData(RegisterType.Float64, "GHEFCDAB", "2D18544421FB4009", "3.141592653589793")]
    [InlineData(RegisterType.Float64, "BADCFEHG", "0940FB214454182D", "3.141592653589793")]
    [InlineData(RegisterType.Float64, "HGFEDCBA", "182D4454FB210940", "3.141592653589793")]
    [InlineData(RegisterType.Int16, "AB", "FFFE", "-2")]
    [InlineData(RegisterType.Int16, "BA", "FEFF", "-2")]
    [InlineData(RegisterType.UInt16, "AB", "FFFE", "65534")]
    [InlineData(RegisterType.Int32, "CDAB", "FFFEFFFF", "-2")]
    [InlineData(RegisterType.UInt32, "ABCD", "DEADBEEF", "3735928559")]
    [InlineData(RegisterType.UInt32, "CDAB", "BEEFDEAD", "3735928559")]
    [InlineData(RegisterType.Int64, "GHEFCDAB", "FFFEFFFFFFFFFFFF", "-2")]
    [InlineData(RegisterType.UInt64, "ABCDEFGH", "FFFFFFFFFFFFFFFE", "18446744073709551614")]
    [InlineData(RegisterType.Bool, "AB", "0001", "true")]
    [InlineData(RegisterType.Bool, "AB", "0000", "false")]
    public void Known_registers_give_known_values(RegisterType type, string letters, string wire, string text)
    {
        Assert.True(ByteOrder.TryParse(letters, out var order));
        var value = RegisterCodec.Decode(type, order, 0, Convert.FromHexString(wire));
        Assert.Equal(text, value.ToString());
        Assert.Equal(type.DataType(), value.Type);
        Assert.Equal(wire, Convert.ToHexString(RegisterCodec.Encode(type, order, 0, value)));
    }

    [Fact]
    public void Every_type_in_every_order_survives_the_round_trip()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        string[] orders = ["ABCD", "CDAB", "BADC", "DCBA"];
        for (var i = 0; i < 20_000; i++)
        {
            Assert.True(ByteOrder.TryParse(orders[random.Next(4)], out var order));
            var type = (RegisterType)random.Next((int)RegisterType.Bytes + 1);
            if (type is RegisterType.Bool or RegisterType.String) continue;
            var length = random.Next(1, 250);
            var wire = new byte[type.Registers(length) * 2];
            random.NextBytes(wire);
            var value = RegisterCodec.Decode(type, order, length, wire);
            var back = RegisterCodec.Decode(type, order, length, RegisterCodec.Encode(type, order, length, value));
            Assert.True(value == back, $"Seed {seed}, round {i}: {type} {order} {Convert.ToHexString(wire)}");
            if (type is not RegisterType.Bytes)
                Assert.True(wire.AsSpan().SequenceEqual(RegisterCodec.Encode(type, order, length, value)), $"Seed {seed}, round {i}: {type} {order} {Convert.ToHexString(wire)}");
        }
    }

    [Fact]
    public void Text_ends_at_the_first_nul_and_loses_its_padding()
    {
        Assert.Equal("PRESS", RegisterCodec.Decode(RegisterType.String, default, 8, "PRESS\0XX"u8).AsString);
        Assert.Equal("PRESS", RegisterCodec.Decode(RegisterType.String, default, 8, "PRESS   "u8).AsString);
        Assert.Equal("PRESS", RegisterCodec.Decode(RegisterType.String, new(false, true), 5, "RPSE\0S"u8).AsString);
        Assert.Equal("PRESS", RegisterCodec.Decode(RegisterType.String, new(true, true), 5, "RPSE\0S"u8).AsString);
        Assert.Equal("50E9", Convert.ToHexString(RegisterCodec.Encode(RegisterType.String, default, 2, Value.Of("P\u00e9"))));
    }

    [Fact]
    public void Text_that_does_not_fit_is_refused()
    {
        Assert.Throws<ArgumentException>(() => RegisterCodec.Encode(RegisterType.String, default, 4, Value.Of("PRESS")));
        Assert.Throws<ArgumentException>(() => RegisterCodec.Encode(RegisterType.String, default, 4, Value.Of("\u20ac")));
    }
}
