namespace Acceptance.Tests;

/// <summary>Apache Kafka's MirrorMaker 2 between the gateway and a real Apache Kafka, in both directions, under its default names.</summary>
public sealed class MirrorTests
{
    [Fact]
    public async Task MirrorMaker_copies_both_ways_between_the_gateway_and_Apache_Kafka()
    {
        await using var cloud = await ApacheKafka.StartAsync();
        await using var site = new GatewayUnderTest();
        await site.StartAsync();
        var kafka = Path.Combine(Machine.Kafka, "kafka");
        await site.CliAsync("topics", "create", "plant.lines", "--partitions", "2");
        await cloud.RunAsync("topics", "--bootstrap-server", cloud.Bootstrap, "--create", "--topic", "orders", "--partitions", "1");
        await Tool.RunAsync("kcat", ["-b", site.Broker, "-P", "-t", "plant.lines", "-K", ":"], 60, Lines("site"));
        await Tool.RunAsync("kcat", ["-b", cloud.Bootstrap, "-P", "-t", "orders", "-K", ":"], 60, Lines("cloud"));
        var config = Path.Combine(site.Root, "mirror.properties");
        await File.WriteAllTextAsync(config, $"""
            clusters=site,cloud
            site.bootstrap.servers={site.Broker}
            cloud.bootstrap.servers={cloud.Bootstrap}
            site->cloud.enabled=true
            site->cloud.topics=plant.*
            cloud->site.enabled=true
            cloud->site.topics=orders
            replication.factor=1
            checkpoints.topic.replication.factor=1
            heartbeats.topic.replication.factor=1
            offset-syncs.topic.replication.factor=1
            offset.storage.replication.factor=1
            status.storage.replication.factor=1
            config.storage.replication.factor=1
            refresh.topics.interval.seconds=2
            tasks.max=1
            dedicated.mode.enable.internal.rest=false
            plugin.discovery=service_load
            """);
        await using var mirror = Tool.Start(kafka, ["mirror-maker", config], new Dictionary<string, string> { ["KAFKA_HEAP_OPTS"] = "-Xmx384m -XX:TieredStopAtLevel=1" });
        await ArrivesAsync(cloud.Bootstrap, "site.plant.lines", Lines("site"), mirror);
        await ArrivesAsync(site.Broker, "cloud.orders", Lines("cloud"), mirror);
        await Tool.RunAsync("kcat", ["-b", site.Broker, "-P", "-t", "plant.lines", "-K", ":"], 60, "later:later\n");
        await ArrivesAsync(cloud.Bootstrap, "site.plant.lines", Lines("site") + "later:later\n", mirror);
        mirror.Signal(Signals.Kill);
        await site.StopAsync();
    }

    static string Lines(string from) => string.Concat(Enumerable.Range(0, 500).Select(i => $"{from}{i}:value {i} of the {from}\n"));

    static async Task ArrivesAsync(string bootstrap, string topic, string expected, Tool mirror)
    {
        var read = "";
        await Eventually.TrueAsync(() => Sorted(read = Tool.RunAsync("kcat", ["-b", bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-K", ":", "-X", "fetch.wait.max.ms=10", "-X", "allow.auto.create.topics=false"], 30, anyExit: true).GetAwaiter().GetResult())
            == Sorted(expected), 120, () => $"{topic} on {bootstrap} has {read.Split('\n').Length} lines; MirrorMaker says:\n{mirror.Output}");
    }

    static string Sorted(string lines) => string.Join('\n', lines.Split('\n').Order(StringComparer.Ordinal));
}
