using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Log;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.EventLog;

/// <summary>Changed rules of gateway.json and the topics there are.</summary>
public sealed class TopicRuleTests : IAsyncLifetime
{
    readonly string _folder = Directory.CreateTempSubdirectory("iotgateway-rules-").FullName;
    LogStore _store = null!;
    EmbeddedEventLog _log = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await LogStore.OpenAsync(new LogOptions { Directory = _folder, WalBytes = 16 << 20, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, Ct);
        _log = new(_store, Gateway(), NullLogger<EmbeddedEventLog>.Instance);
        await _log.ReconfigureAsync(Gateway(), Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_changed_lane_reaches_the_topics_there_are_and_new_ones()
    {
        await MakeAsync("alarms.north", Lane.Normal);
        await MakeAsync("readings", Lane.High);
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "alarms.*", Lane = Lane.High }), Ct);
        await MakeAsync("alarms.south", Lane.Low);
        Assert.Equal((TopicLane.High, TopicLane.High, TopicLane.High), (LaneOf("alarms.north"), LaneOf("alarms.south"), LaneOf("readings")));
        await _log.ReconfigureAsync(Gateway(new() { Match = "alarms.south" }, new() { Match = "*", Lane = Lane.Low }), Ct);
        Assert.Equal((TopicLane.Low, TopicLane.Normal, TopicLane.Low), (LaneOf("alarms.north"), LaneOf("alarms.south"), LaneOf("readings")));
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Lane = Lane.Normal }), Ct);
        Assert.Equal((TopicLane.Normal, TopicLane.Normal, TopicLane.Normal), (LaneOf("alarms.north"), LaneOf("alarms.south"), LaneOf("readings")));
    }

    [Fact]
    public async Task All_that_a_rule_says_but_partitions_is_taken_and_goes_with_it()
    {
        await MakeAsync("readings", Lane.Normal);
        await _log.ReconfigureAsync(Gateway(new TopicRule
        {
            Match = "readings", Durability = "os", Compression = "zstd", Partitions = 7, Retention = new() { Time = TimeSpan.FromDays(3), Size = new(5 << 20) },
        }), Ct);
        Assert.Single(_store.Find("readings")!.Partitions);
        Assert.Equal([("compression.type", "zstd"), ("iotgateway.durability", "os"), ("retention.bytes", "5242880"), ("retention.ms", "259200000")], Settings("readings"));
        await _log.ReconfigureAsync(Gateway(), Ct);
        Assert.Empty(Settings("readings"));
    }

    [Fact]
    public async Task What_was_set_by_other_means_stays_until_the_rule_says_otherwise()
    {
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Lane = Lane.Low, Compression = "zstd" }), Ct);
        await MakeAsync("readings", Lane.Normal);
        await SetAsync("readings", ("iotgateway.lane", "high"), ("segment.ms", "60000"));
        // As after a restart with the same file; another setting of the rule is none of the lane's business.
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Lane = Lane.Low, Compression = "zstd" }), Ct);
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Lane = Lane.Low, Compression = "lz4" }), Ct);
        Assert.Equal([("compression.type", "lz4"), ("iotgateway.lane", "high"), ("segment.ms", "60000")], Settings("readings"));
        await _log.ReconfigureAsync(Gateway(), Ct);
        Assert.Equal([("iotgateway.lane", "high"), ("segment.ms", "60000")], Settings("readings"));
    }

    [Fact]
    public async Task A_change_made_while_the_gateway_was_down_counts_with_the_next_start()
    {
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Lane = Lane.Low }), Ct);
        await MakeAsync("readings", Lane.Normal);
        var next = new EmbeddedEventLog(_store, Gateway(), NullLogger<EmbeddedEventLog>.Instance);
        await next.ReconfigureAsync(Gateway(new TopicRule { Match = "readings", Lane = Lane.High }), Ct);
        Assert.Equal(TopicLane.High, LaneOf("readings"));
    }

    [Fact]
    public async Task The_gateways_own_topics_keep_their_durability()
    {
        await _log.EnsureTopicsAsync([InternalTopics.Outcomes], Ct);
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Lane = Lane.Low, Durability = "os" }), Ct);
        Assert.Equal([("iotgateway.durability", "fsync"), ("iotgateway.lane", "low")], Settings(InternalTopics.Outcomes));
    }

    [Fact]
    public async Task What_a_client_gave_a_topic_it_made_stays_until_the_rule_says_otherwise()
    {
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Lane = Lane.Low, Compression = "zstd" }), Ct);
        await _store.CreateTopicAsync("readings", 1, new() { Settings = new Dictionary<string, string> { ["iotgateway.lane"] = "normal", ["compression.type"] = "zstd" } }, Ct);
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Lane = Lane.Low, Compression = "lz4", Durability = "os" }), Ct);
        Assert.Equal([("compression.type", "lz4"), ("iotgateway.durability", "os"), ("iotgateway.lane", "normal")], Settings("readings"));
    }

    [Fact]
    public async Task An_interval_is_the_same_in_any_unit_and_goes_with_its_rule()
    {
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Durability = "interval:1s" }), Ct);
        await MakeAsync("readings", Lane.Normal);
        Assert.Equal([("iotgateway.durability", "interval:1000ms")], Settings("readings"));
        await SetAsync("readings", ("iotgateway.durability", "interval:1s")); // as versions before wrote it
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Durability = "interval:1000ms" }), Ct);
        Assert.Equal([("iotgateway.durability", "interval:1s")], Settings("readings"));
        await _log.ReconfigureAsync(Gateway(), Ct);
        Assert.Empty(Settings("readings"));
    }

    [Fact]
    public async Task A_rule_kept_by_a_version_that_took_any_interval_does_not_stand_in_the_way()
    {
        await MakeAsync("readings", Lane.Normal);
        var unit = new EventUnit();
        unit.Put(LogTables.Control, "topicRules"u8, """[{"Match":"*","Durability":"interval:1d"}]"""u8);
        await _log.CommitAsync(unit, Ct);
        await _log.ReconfigureAsync(Gateway(new TopicRule { Match = "*", Durability = "interval:1min" }), Ct);
        Assert.Equal([("iotgateway.durability", "interval:60000ms")], Settings("readings"));
    }

    static GatewayConfig Gateway(params TopicRule[] rules) => new() { Name = "plant-test", Topics = rules };

    async Task MakeAsync(string topic, Lane lane)
    {
        var unit = new EventUnit { Lane = lane };
        unit.Begin(topic, 0);
        unit.Value("x"u8);
        unit.End();
        await _log.CommitAsync(unit, Ct);
    }

    async Task SetAsync(string name, params (string Name, string Value)[] settings)
    {
        var topic = _store.Find(name)!;
        var next = new Dictionary<string, string>(topic.Config.Settings);
        foreach (var (setting, value) in settings) next[setting] = value;
        await _store.SetConfigAsync(topic.Id, topic.Config with { Settings = next }, Ct);
    }

    TopicLane LaneOf(string topic) => _store.Find(topic)!.Rules.Lane;

    List<(string, string)> Settings(string topic) => [.. _store.Find(topic)!.Config.Settings.Select(s => (s.Key, s.Value)).OrderBy(s => s.Key, StringComparer.Ordinal)];
}
