using System.Globalization;
using System.Text.RegularExpressions;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>Apache Kafka's own test of log compaction: of every key the last value stays, the rest goes.</summary>
public sealed partial class CompactionToolTests
{
    [Fact]
    public async Task The_compaction_tester_finds_the_last_value_of_every_key_and_half_or_less_of_the_records()
    {
        KafkaTools.SkipWithout();
        // The tool makes its topics with nothing but cleanup.policy=compact: the segments' size is the broker's.
        await using var broker = await TestBroker.StartAsync(log: o => o with
        {
            CompactEvery = TimeSpan.FromMilliseconds(500),
            TopicDefaults = new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "100000", ["min.cleanable.dirty.ratio"] = "0.01" } },
        });
        var (code, output) = await KafkaTools.RunAsync("compaction-tester", "--bootstrap-server", broker.Bootstrap, "--topics", "2", "--messages", "40000", "--duplicates", "10", "--percent-deletes", "10", "--sleep", "5");
        Assert.True(code == 0, output);
        Assert.Contains(" 0 mismatches", output, StringComparison.Ordinal);
        var reduced = double.Parse(Reduction().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.True(reduced >= 50, output);
        TestContext.Current.TestOutputHelper?.WriteLine(output);
    }

    [GeneratedRegex(@"([0-9.]+)% reduction")]
    private static partial Regex Reduction();
}
