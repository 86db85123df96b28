using IotGateway.Connect.EventLog;
using IotGateway.Log;

namespace IotGateway.Connect.Tests.Configs;

/// <summary>What gateway.json allows as durability is what the log takes.</summary>
public sealed class DurabilityTests : IDisposable
{
    const string Allowed = "Must be fsync, os, or interval:TIME with whole milliseconds from 1ms to 1h, such as interval:100ms, found the text ";
    readonly ConfigBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("interval:1ms", 1)]
    [InlineData("interval:1000us", 1)]
    [InlineData("interval:2.5ms", null)]
    [InlineData("interval:500us", null)]
    [InlineData("interval:1500us", null)]
    [InlineData("interval:0ms", null)]
    [InlineData("interval:0", null)]
    [InlineData("interval:0.5s", 500)]
    [InlineData("interval:30s", 30_000)]
    [InlineData("interval:1min", 60_000)]
    [InlineData("interval:1m", null)]
    [InlineData("interval:0.01d", 864_000)]
    [InlineData("interval:1h", 3_600_000)]
    [InlineData("interval:3600001ms", null)]
    [InlineData("interval:1d", null)]
    [InlineData("interval:99999999999999999999d", null)]
    [InlineData("interval:-5ms", null)]
    [InlineData("interval:", null)]
    [InlineData("", null)]
    public void An_interval_is_taken_by_the_log_or_refused_by_validation(string durability, int? milliseconds)
    {
        _bench.Write("gateway.json", $$"""{ "name": "g", "log": { "durability": "{{durability}}" }, "topics": [ { "match": "*", "durability": "{{durability}}" } ] }""");
        var loaded = _bench.Load();
        if (milliseconds is not { } expected)
        {
            Assert.Equal(["log.durability", "topics[0].durability"], loaded.Problems.Select(p => p.Path));
            Assert.All(loaded.Problems, p => Assert.Equal($"{Allowed}\"{durability}\".", p.Message));
            return;
        }
        Assert.Empty(loaded.Problems);
        TopicConfig[] handed =
        [
            new() { Settings = new Dictionary<string, string> { ["iotgateway.durability"] = TopicSettings.Durability(loaded.Gateway.Log.Durability) } },
            TopicSettings.For(loaded.Gateway, "readings", default).Config,
        ];
        Assert.All(handed.Select(c => TopicRules.Parse(c)), r => Assert.Equal((Durability.Interval, TimeSpan.FromMilliseconds(expected)), (r.Durability, r.SyncWithin)));
    }
}
