using System.Text;
using IotGateway.Broker.Tests.Server;
using IotGateway.Log;
using IotGateway.Log.Records;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>What the broker packs itself (<c>compression.type</c>), other people's consumers open.</summary>
public sealed class CompressionTypeTests
{
    static readonly string[] _types = ["gzip", "snappy", "lz4", "zstd", "uncompressed"];

    [Fact]
    public async Task Java_and_librdkafka_read_what_the_broker_has_packed_and_dump_log_finds_nothing_wrong()
    {
        KafkaTools.SkipWithout();
        const string kcat = "/usr/bin/kcat";
        if (!File.Exists(kcat)) Assert.Skip("kcat is not installed (apt-get install kcat).");
        var ct = TestContext.Current.CancellationToken;
        var broker = await TestBroker.StartAsync(keep: true);
        string[] lines = [.. Enumerable.Range(0, 3000).Select(i => $$"""{"device":"press{{i % 7}}","value":{{i * 37 % 101}},"unit":"°C","n":{{i}}}""")];
        var files = new List<string>();
        await using (broker)
        {
            var unit = new LogUnit();
            foreach (var type in _types)
            {
                var topic = await broker.Store.CreateTopicAsync(type, 1, new() { Settings = new Dictionary<string, string> { ["compression.type"] = type } }, ct);
                // A connector's batch, in process; and a client's, packed in another way.
                var builder = new RecordBatchBuilder();
                foreach (var line in lines[..2000]) builder.Add(1_700_000_000_000, default, Encoding.UTF8.GetBytes(line), hasKey: false);
                unit.Clear();
                unit.Append(topic.Partitions[0], builder.Build());
                await broker.Store.CommitAsync(unit, ct);
                var (code, sent) = await KafkaTools.ExecuteAsync(kcat, string.Concat(lines[2000..].Select(l => l + "\n")), "-b", broker.Bootstrap, "-P", "-t", type, "-z", type == "zstd" ? "lz4" : "zstd");
                Assert.True(code == 0, sent);
                var (_, read) = await KafkaTools.ExecuteAsync(kcat, null, "-b", broker.Bootstrap, "-C", "-t", type, "-o", "beginning", "-e", "-q", "-X", "check.crcs=true");
                Assert.Equal(lines, read.TrimEnd('\n').Split('\n'));
                files.Add(Directory.EnumerateFiles(broker.Directory, "*.log", SearchOption.AllDirectories).Single(f => f.Contains($"/{type}-0/", StringComparison.Ordinal)));
            }
            var (done, consumed) = await KafkaTools.RunAsync("console-consumer", "--bootstrap-server", broker.Bootstrap, "--include", string.Join('|', _types),
                "--from-beginning", "--max-messages", (lines.Length * _types.Length).ToString(System.Globalization.CultureInfo.InvariantCulture), "--timeout-ms", "30000");
            Assert.True(done == 0, consumed);
            var counts = consumed.Split('\n').Where(l => l.StartsWith('{')).GroupBy(l => l).ToDictionary(g => g.Key, g => g.Count());
            Assert.All(lines, line => Assert.Equal(_types.Length, counts.GetValueOrDefault(line)));
        }
        var (_, dump) = await KafkaTools.RunAsync("dump-log", "--deep-iteration", "--files", string.Join(',', files));
        Directory.Delete(broker.Directory, recursive: true);
        foreach (var type in _types[..4]) Assert.Contains($"compresscodec: {type}", dump, StringComparison.Ordinal);
        Assert.DoesNotMatch("isvalid: false|[Mm]ismatch|Exception|Non-consecutive", dump);
    }
}
