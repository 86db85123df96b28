using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk.Data;

namespace IotGateway.Tests.Mqtt.Mapping;

/// <summary>Templates and plain payloads.</summary>
public sealed class TopicTemplateTests
{
    [Theory]
    [InlineData("fix", "a/b", "fix", null)]
    [InlineData("${topic}", "a/b/c", "a/b/c", null)]
    [InlineData("${topic[0]}", "a/b/c", "a", null)]
    [InlineData("${topic[2]}", "a/b/c", "c", null)]
    [InlineData("x.${topic[1]}.y", "a/b/c", "x.b.y", null)]
    [InlineData("${topic[1..]}", "a/b/c", "b/c", null)]
    [InlineData("${topic[0..2]}", "a/b/c", "a/b", null)]
    [InlineData("${topic[1..9]}", "a/b/c", "b/c", null)]
    [InlineData("${topic[0]}", "/a", "", "topic[0]")] // a leading slash makes level 0 empty
    [InlineData("${topic[1]}", "/a", "a", null)]
    [InlineData("t${topic[3]}", "a/b/c", "t", "topic[3]")]
    [InlineData("t${topic[3..]}", "a/b/c", "t", "topic[3..]")]
    [InlineData("${topic[1]}", "a//c", "", "topic[1]")]
    [InlineData("${gateway}-${topic[0]}", "${topic}", "g-${topic}", null)] // what comes from data is not expanded again
    public void Expands(string template, string topic, string expected, string? missing)
    {
        var read = TopicTemplate.TryParse(template, Placeholders.Of("c", "g", "n"), out _)!;
        Assert.Equal((expected, missing), (read.Expand(topic, out var m), m));
    }

    [Theory]
    [InlineData("${topik}")]
    [InlineData("${topic[}")]
    [InlineData("${topic[-1]}")]
    [InlineData("${topic[2..1]}")]
    [InlineData("${topic")]
    [InlineData("${env:HOME}")]
    public void Says_what_is_wrong(string template)
    {
        Assert.Null(TopicTemplate.TryParse(template, Placeholders.Names, out var error));
        Assert.NotNull(error);
    }

    [Theory]
    [InlineData("21.5", DataType.Float64, "21.5")]
    [InlineData(" -3 ", DataType.Int16, "-3")]
    [InlineData("1e3", DataType.Float32, "1000")]
    [InlineData("true", DataType.Bool, "true")]
    [InlineData("0", DataType.Bool, "false")]
    [InlineData("18446744073709551615", DataType.UInt64, "18446744073709551615")]
    [InlineData("0.10", DataType.Decimal, "0.10")]
    [InlineData("läuft", DataType.String, "läuft")]
    public void Plain_payloads_are_values(string payload, DataType type, string expected)
    {
        Assert.True(PlainValue.TryRead(System.Text.Encoding.UTF8.GetBytes(payload), type, out var value));
        Assert.Equal((type, expected), (value.Type, value.ToString()));
    }

    [Theory]
    [InlineData("", DataType.Float64)]
    [InlineData("hot", DataType.Float64)]
    [InlineData("256", DataType.UInt8)]
    [InlineData("1.5", DataType.Int32)]
    [InlineData("yes", DataType.Bool)]
    public void Others_are_not(string payload, DataType type) => Assert.False(PlainValue.TryRead(System.Text.Encoding.UTF8.GetBytes(payload), type, out _));

    [Theory]
    [InlineData("a/+", "+/b", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "b/#", false)]
    [InlineData("a/b", "a/b/c", false)]
    [InlineData("#", "x/y", true)]
    [InlineData("+", "a/b", false)]
    public void Filters_overlap(string a, string b, bool overlap)
    {
        Assert.Equal(overlap, TopicName.Overlap(a, b));
        Assert.Equal(overlap, TopicName.Overlap(b, a));
    }
}
