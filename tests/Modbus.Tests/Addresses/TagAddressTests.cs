using IotGateway.Connectors.Modbus.Addresses;

namespace Modbus.Tests.Addresses;

public sealed class TagAddressTests
{
    [Theory]
    [InlineData("holding:100", false, "holding:100")]
    [InlineData("holding:100", true, "holding:99")]
    [InlineData("holding:100.3", false, "holding:100.3")]
    [InlineData("40101", false, "holding:100")]
    [InlineData("40101", true, "holding:100")]
    [InlineData("40101.15", true, "holding:100.15")]
    [InlineData("465536", false, "holding:65535")]
    [InlineData("30001", false, "input:0")]
    [InlineData("10001", false, "discrete:0")]
    [InlineData("00001", false, "coil:0")]
    [InlineData("coil:0", false, "coil:0")]
    [InlineData("discrete:65535", false, "discrete:65535")]
    [InlineData("input:65536", true, "input:65535")]
    public void Notations_mean_wire_addresses(string text, bool oneBased, string meaning)
    {
        Assert.True(TagAddress.TryParse(text, oneBased, out var address, out var error), error);
        Assert.Equal(meaning, address.ToString());
    }

    [Theory]
    [InlineData("holding:0", true, "1 to 65536")]
    [InlineData("holding:65536", false, "0 to 65535")]
    [InlineData("40000", false, "1 to 65536")]
    [InlineData("20001", false, "is no address")]
    [InlineData("register:1", false, "unknown area 'register'")]
    [InlineData("holding:1.16", false, "0 to 15")]
    [InlineData("coil:1.0", false, "leave out the dot")]
    [InlineData("holding:-1", false, "0 to 65535")]
    [InlineData("holding: 1", false, "0 to 65535")]
    [InlineData("", false, "is no address")]
    public void Errors_say_what_would_be_right(string text, bool oneBased, string part)
    {
        Assert.False(TagAddress.TryParse(text, oneBased, out _, out var error));
        Assert.Contains(part, error, StringComparison.Ordinal);
    }
}
