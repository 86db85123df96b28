using IotGateway.Connect.Commands;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Commands;

public sealed class CommandValueTests
{
    [Theory]
    [InlineData(0.1f, "0.1")]
    [InlineData(72.3f, "72.3")]
    [InlineData(16777216f, "16777216")]
    [InlineData(1e-20f, "0.00000000000000000001")]
    public void A_float32_is_compared_by_the_number_it_was_meant_as(float value, string text)
        => Assert.Equal(decimal.Parse(text, System.Globalization.CultureInfo.InvariantCulture), CommandValue.AsDecimal(Value.Of(value)));

    [Fact]
    public void A_float64_is_not_rounded_into_its_limits()
        => Assert.True(CommandValue.AsDecimal(Value.Of(100.00000000000001)) > 100);

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e300)]
    public void What_decimal_cannot_hold_is_no_number_to_compare(double value) => Assert.Null(CommandValue.AsDecimal(Value.Of(value)));
}
