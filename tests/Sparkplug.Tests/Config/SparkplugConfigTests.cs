using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Sparkplug;
using IotGateway.Connectors.Sparkplug.Config;
using IotGateway.Connectors.Sparkplug.Plant;
using IotGateway.Sdk.Config;

namespace IotGateway.Tests.Sparkplug.Config;

/// <summary>What a configuration may say, and what follows from it.</summary>
public sealed class SparkplugConfigTests
{
    static readonly SparkplugConfig Valid = new() { Endpoint = new Endpoints("mqtt://127.0.0.1:1883") };

    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(Errors(Valid));

    [Theory]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("a+")]
    [InlineData("#")]
    public void An_id_is_one_level_of_a_topic(string id)
    {
        Assert.Equal(["HostId"], Errors(Valid with { HostId = id }));
        Assert.Equal(["Groups"], Errors(Valid with { Groups = ["ok", id] }));
    }

    [Theory]
    [InlineData("${group}")] // all edge nodes of a group would have one name
    [InlineData("${edge}/x")]
    [InlineData("${edge}${device}")]
    [InlineData("")]
    public void A_template_that_cannot_name_edge_nodes_is_refused(string node) => Assert.Contains("Node", Errors(Valid with { Node = node }));

    [Fact]
    public void Limits_are_checked_against_each_other()
    {
        Assert.Equal(["MaxInFlight"], Errors(Valid with { MaxInFlight = new(1 << 20) }));
        Assert.Equal(["MaxPacketSize"], Errors(Valid with { MaxPacketSize = new(10) }));
        Assert.Equal(["RebirthMaxPause"], Errors(Valid with { RebirthMaxPause = TimeSpan.FromSeconds(2) }));
    }

    [Fact]
    public void Changed_write_rules_leave_the_connection_alone()
    {
        var config = Valid with { Groups = ["a"], Devices = [new() { Name = "d", Tags = [new() { Name = "t", Write = new() { Max = 1 } }] }] };
        Assert.True(config.DiffersOnlyInDevices(config with { Groups = ["a"], Devices = [] }));
        Assert.False(config.DiffersOnlyInDevices(config with { Groups = ["b"] }));
        Assert.False(config.DiffersOnlyInDevices(config with { Password = "other" }));
        Assert.Equal(["d/t"], new SparkplugFactory().Tags(config).Select(t => $"{t.Device}/{t.Name}"));
    }

    [Fact]
    public void It_listens_to_its_groups_and_not_to_commands()
    {
        Assert.Equal(["spBv1.0/+/NBIRTH/#", "spBv1.0/+/NDEATH/#", "spBv1.0/+/NDATA/#", "spBv1.0/+/DBIRTH/#", "spBv1.0/+/DDEATH/#", "spBv1.0/+/DDATA/#"], Filters());
        Assert.Equal(12, Filters("a", "b", "a").Length);
    }

    static string[] Filters(params string[] groups) => [.. EdgeFilters.Of(groups).Select(f => System.Text.Encoding.UTF8.GetString(f.Filter.Span))];

    static string[] Errors(SparkplugConfig config) => [.. config.Validate(new ValidationContext(config)).SelectMany(r => r.MemberNames)];
}
