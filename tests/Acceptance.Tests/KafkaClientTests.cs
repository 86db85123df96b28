using System.Globalization;
using System.Text.RegularExpressions;
using Confluent.Kafka;

namespace Acceptance.Tests;

/// <summary>Any Kafka client works against the gateway: kcat, librdkafka, Java.</summary>
public sealed partial class KafkaClientTests : IAsyncLifetime
{
    readonly GatewayUnderTest _gateway = new();

    public async ValueTask InitializeAsync() => await _gateway.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _gateway.StopAsync();
        await _gateway.DisposeAsync();
    }

    [Fact]
    public async Task Kcat_lists_produces_and_consumes()
    {
        await Kcat(["-P", "-t", "lines", "-K", ":"], "k1:one\nk2:two\nk1:three\n");
        Assert.Contains("topic \"lines\" with 1 partitions", await Kcat(["-L"]), StringComparison.Ordinal);
        Assert.Equal("k1:one\nk2:two\nk1:three\n", await Kcat(["-C", "-t", "lines", "-o", "beginning", "-e", "-q", "-f", "%k:%s\n"]));
    }

    [Theory, InlineData("gzip"), InlineData("snappy"), InlineData("lz4"), InlineData("zstd")]
    public async Task Kcat_round_trips_every_compression(string codec)
    {
        var lines = string.Concat(Enumerable.Range(0, 500).Select(i => $"a line that compresses well, number {i}\n"));
        await Kcat(["-P", "-t", "packed-" + codec, "-z", codec], lines);
        Assert.Equal(lines, await Kcat(["-C", "-t", "packed-" + codec, "-o", "beginning", "-e", "-q"]));
    }

    [Fact]
    public async Task Two_members_of_a_group_share_partitions_and_resume_at_their_commits()
    {
        await _gateway.CliAsync("topics", "create", "shared", "--partitions", "4");
        var seen = new List<string>();
        using (var a = Member())
        using (var b = Member())
        {
            void Poll()
            {
                if (a.Consume(TimeSpan.FromMilliseconds(20)) is { } x) seen.Add(x.Message.Value);
                if (b.Consume(TimeSpan.FromMilliseconds(20)) is { } y) seen.Add(y.Message.Value);
            }
            // Both have their share before there is anything to read: no record comes twice for a rebalance's sake.
            await Eventually.TrueAsync(() => { Poll(); return a.Assignment.Count == 2 && b.Assignment.Count == 2; }, 40, () => $"{a.Assignment.Count} and {b.Assignment.Count} of 4 partitions are assigned");
            await Kcat(["-P", "-t", "shared", "-K", ":"], string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i}:{i}\n")));
            var until = System.Diagnostics.Stopwatch.StartNew();
            while (seen.Count < 1000 && until.Elapsed < TimeSpan.FromSeconds(40)) Poll();
            Assert.Equal(1000, seen.Distinct().Count());
            var owned = a.Assignment.Concat(b.Assignment).ToList();
            Assert.Equal(4, owned.Distinct().Count());
            Assert.Equal(4, owned.Count);
            Assert.NotEmpty(a.Assignment);
            Assert.NotEmpty(b.Assignment);
            a.Commit();
            b.Commit();
            a.Close();
            b.Close();
        }
        await _gateway.KillAsync();
        await _gateway.StartAsync();
        await Kcat(["-P", "-t", "shared", "-K", ":"], "later:later\n");
        using var again = Member();
        ConsumeResult<string, string>? next = null;
        await Eventually.TrueAsync(() => (next = again.Consume(TimeSpan.FromMilliseconds(100))) is not null, 30, () => "nothing came after the restart");
        Assert.Equal("later", next!.Message.Value);
        again.Close();
    }

    [Fact]
    public async Task Apache_Kafkas_console_tools_work()
    {
        var kafka = Path.Combine(Machine.Kafka, "kafka");
        string[] server = ["--bootstrap-server", _gateway.Broker];
        await Tool.RunAsync(kafka, ["topics", .. server, "--create", "--topic", "java", "--partitions", "2", "--replication-factor", "1"]);
        Assert.Contains("PartitionCount: 2", await Tool.RunAsync(kafka, ["topics", .. server, "--describe", "--topic", "java"]), StringComparison.Ordinal);
        await Tool.RunAsync(kafka, ["console-producer", .. server, "--topic", "java"], input: "alpha\nbeta\ngamma\n");
        var read = await Tool.RunAsync(kafka, ["console-consumer", .. server, "--topic", "java", "--from-beginning", "--max-messages", "3", "--group", "console"]);
        foreach (var line in (string[])["alpha", "beta", "gamma"]) Assert.Contains(line, read, StringComparison.Ordinal);
        Assert.Contains("console", await Tool.RunAsync(kafka, ["consumer-groups", .. server, "--list"]), StringComparison.Ordinal);
        var described = await Tool.RunAsync(kafka, ["consumer-groups", .. server, "--describe", "--group", "console"]);
        Assert.Matches(@"console\s+java\s+\d\s+\d", described);
        await Tool.RunAsync(kafka, ["consumer-groups", .. server, "--group", "console", "--topic", "java", "--reset-offsets", "--to-earliest", "--execute"]);
        Assert.Contains("3 messages", await Tool.RunAsync(kafka, ["console-consumer", .. server, "--topic", "java", "--max-messages", "3", "--group", "console"]), StringComparison.Ordinal);
        await Tool.RunAsync(kafka, ["topics", .. server, "--delete", "--topic", "java"]);
        Assert.DoesNotContain("java", await Tool.RunAsync(kafka, ["topics", .. server, "--list"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Producer_perf_runs_and_dump_log_finds_nothing_wrong()
    {
        var kafka = Path.Combine(Machine.Kafka, "kafka");
        var output = await Tool.RunAsync(kafka, ["producer-perf", "--topic", "perf", "--num-records", "200000", "--record-size", "100", "--throughput", "-1", "--command-property", "bootstrap.servers=" + _gateway.Broker], 90);
        Assert.Contains("200000 records sent", output, StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper!.WriteLine(output.Split('\n').Last(l => l.Contains("200000 records sent", StringComparison.Ordinal)));
        var end = await Tool.RunAsync(kafka, ["get-offsets", "--bootstrap-server", _gateway.Broker, "--topic", "perf"]);
        Assert.Equal(200_000, Offsets().Matches(end).Sum(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)));
        await _gateway.StopAsync();
        foreach (var segment in Directory.EnumerateFiles(_gateway.Data, "*.log", SearchOption.AllDirectories).Where(f => Path.GetFileName(Path.GetDirectoryName(f)!).StartsWith("perf-", StringComparison.Ordinal)))
        {
            string[] files = [segment, Path.ChangeExtension(segment, ".index"), Path.ChangeExtension(segment, ".timeindex")];
            var dump = await Tool.RunAsync(kafka, ["dump-log", "--deep-iteration", "--files", string.Join(',', files)], 120);
            Assert.Contains("baseOffset: 0", dump, StringComparison.Ordinal);
            Assert.DoesNotMatch("isvalid: false|[Mm]ismatch|Exception|Non-consecutive|not found", dump);
        }
        await _gateway.StartAsync();
    }

    IConsumer<string, string> Member()
    {
        var member = new ConsumerBuilder<string, string>(new ConsumerConfig
        {
            BootstrapServers = _gateway.Broker,
            GroupId = "pair",
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = false,
            SessionTimeoutMs = 6000,
        }).Build();
        member.Subscribe("shared");
        return member;
    }

    Task<string> Kcat(string[] arguments, string? input = null) => Tool.RunAsync("kcat", ["-b", _gateway.Broker, .. arguments], 60, input);

    [GeneratedRegex(@"^perf:\d+:(\d+)", RegexOptions.Multiline)]
    private static partial Regex Offsets();
}
