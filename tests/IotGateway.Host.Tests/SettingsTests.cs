using IotGateway.Connect.Configs;
using IotGateway.Host.Hosting;
using IotGateway.Log;
using IotGateway.Sdk.Data;

namespace IotGateway.Host.Tests;

/// <summary>gateway.json as the log and the broker get it.</summary>
public sealed class SettingsTests
{
    [Fact]
    public void The_broker_makes_topics_by_the_rules()
    {
        var gateway = new GatewayConfig
        {
            Name = "plant",
            Broker = new() { DefaultPartitions = 2 },
            Topics = [new() { Match = "bulk.*", Lane = Lane.Low, Compression = "zstd", Partitions = 3, Durability = "interval:0.5s", Retention = new() { Time = TimeSpan.FromHours(1) } }],
        };
        var form = Settings.Broker(gateway, "config", "data").NewTopics!;
        var (partitions, config) = form("bulk.north");
        Assert.Equal(3, partitions);
        Assert.Equal(
            [("compression.type", "zstd"), ("iotgateway.durability", "interval:500ms"), ("iotgateway.lane", "low"), ("retention.ms", "3600000")],
            config.Settings.Select(s => (s.Key, s.Value)).OrderBy(s => s.Key, StringComparer.Ordinal));
        Assert.Equal((2, 0), (form("other").Partitions, form("other").Config.Settings.Count));
    }

    [Fact]
    public void The_log_gets_an_interval_in_its_own_words()
    {
        var options = Settings.Log(new() { Name = "plant", Log = new() { Durability = "interval:1min" } }, "data");
        Assert.Equal(TimeSpan.FromMinutes(1), TopicRules.Parse(new(), options.TopicDefaults).SyncWithin);
    }
}
