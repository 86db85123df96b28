using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>Apache Kafka's own programs, over the Java clients.</summary>
public sealed class JavaToolTests
{
    [Fact]
    public async Task The_topics_tool_creates_widens_describes_and_deletes()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        await RunAsync(broker, "topics", "--create", "--topic", "t", "--partitions", "2", "--replication-factor", "3", "--config", "retention.ms=3600000");
        await RunAsync(broker, "topics", "--alter", "--topic", "t", "--partitions", "3");
        var described = await RunAsync(broker, "topics", "--describe", "--topic", "t");
        Assert.Contains("PartitionCount: 3\tReplicationFactor: 1\tConfigs: retention.ms=3600000", described, StringComparison.Ordinal);
        await RunAsync(broker, "topics", "--delete", "--topic", "t");
        Assert.Empty(broker.Store.Topics);
    }

    [Fact]
    public async Task The_console_tools_produce_consume_in_a_group_and_tell_its_lag()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        var (code, output) = await KafkaTools.ExecuteAsync(Path.Combine(KafkaTools.Directory!, "kafka"), "k1:v1\nk2:v2\nk3:v3\n",
            "console-producer", "--bootstrap-server", broker.Bootstrap, "--topic", "t", "--reader-property", "parse.key=true", "--reader-property", "key.separator=:");
        Assert.True(code == 0, output);
        var consumed = await RunAsync(broker, "console-consumer", "--topic", "t", "--from-beginning", "--max-messages", "2", "--group", "g", "--formatter-property", "print.key=true");
        Assert.Contains("k1\tv1\nk2\tv2\n", consumed, StringComparison.Ordinal);
        var group = await RunAsync(broker, "consumer-groups", "--describe", "--group", "g");
        Assert.Matches(@"g\s+t\s+0\s+2\s+3\s+1\s", group);
        Assert.Contains("t:0:3", await RunAsync(broker, "get-offsets", "--topic", "t"), StringComparison.Ordinal);
        await RunAsync(broker, "consumer-groups", "--group", "g", "--topic", "t", "--reset-offsets", "--to-earliest", "--execute");
        Assert.Matches(@"g\s+t\s+0\s+0\s+3\s+3\s", await RunAsync(broker, "consumer-groups", "--describe", "--group", "g"));
        await RunAsync(broker, "consumer-groups", "--delete", "--group", "g");
        Assert.DoesNotContain("g\n", await RunAsync(broker, "consumer-groups", "--list"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_consumer_protocol_consumes_and_is_described()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        await using (var client = await broker.ConnectAsync())
        {
            await broker.CreateAsync("t");
            await client.ProduceAsync("t", Batches.Of("one", "two"));
        }
        var consumed = await RunAsync(broker, "console-consumer", "--topic", "t", "--from-beginning", "--max-messages", "2", "--group", "g", "--command-property", "group.protocol=consumer");
        Assert.Contains("one\ntwo\n", consumed, StringComparison.Ordinal);
        Assert.Matches(@"g\s+Consumer\s+consumer", await RunAsync(broker, "groups", "--list"));
    }

    [Fact]
    public async Task The_quorum_tool_sees_one_voter_that_leads()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        var status = await RunAsync(broker, "metadata-quorum", "describe", "--status");
        Assert.Matches(@"LeaderId:\s+1\s+LeaderEpoch:\s+1\s", status);
        Assert.Matches(@"MaxFollowerLag:\s+0\s", status);
        Assert.Matches(@"1\s+\S+\s+\d+\s+0\s+\S+\s+\S+\s+Leader", await RunAsync(broker, "metadata-quorum", "describe", "--replication"));
    }

    [Fact]
    public async Task The_acls_tool_adds_lists_and_removes()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync(new() { Acls = new() { SuperUsers = ["User:ANONYMOUS"] } });
        await RunAsync(broker, "acls", "--add", "--allow-principal", "User:mes", "--operation", "Read", "--operation", "Write", "--topic", "plant.", "--resource-pattern-type", "prefixed");
        await RunAsync(broker, "acls", "--add", "--deny-principal", "User:guest", "--deny-host", "10.0.0.1", "--operation", "All", "--cluster");
        var listed = await RunAsync(broker, "acls", "--list");
        Assert.Contains("ResourcePattern(resourceType=TOPIC, name=plant., patternType=PREFIXED)", listed, StringComparison.Ordinal);
        Assert.Contains("(principal=User:mes, host=*, operation=WRITE, permissionType=ALLOW)", listed, StringComparison.Ordinal);
        Assert.Contains("(principal=User:guest, host=10.0.0.1, operation=ALL, permissionType=DENY)", listed, StringComparison.Ordinal);
        Assert.Contains("operation=READ", await RunAsync(broker, "acls", "--list", "--topic", "plant.a", "--resource-pattern-type", "match"), StringComparison.Ordinal);
        await RunAsync(broker, "acls", "--remove", "--force", "--topic", "plant.", "--resource-pattern-type", "prefixed");
        Assert.DoesNotContain("plant.", await RunAsync(broker, "acls", "--list"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_perf_tools_move_100000_records()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        var (code, produced) = await KafkaTools.RunAsync("producer-perf", "--topic", "t", "--num-records", "100000", "--record-size", "100", "--throughput", "-1",
            "--command-property", "bootstrap.servers=" + broker.Bootstrap);
        Assert.True(code == 0 && produced.Contains("100000 records sent", StringComparison.Ordinal), produced);
        Assert.Contains(", 100000, ", await RunAsync(broker, "consumer-perf", "--topic", "t", "--num-records", "100000", "--timeout", "60000"), StringComparison.Ordinal);
        Assert.Equal(100_000, broker.Store.Find("t")!.Partitions[0].HighWatermark);
    }

    [Fact]
    public async Task The_configs_tool_describes_and_changes()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await RunAsync(broker, "configs", "--alter", "--entity-type", "topics", "--entity-name", "t", "--add-config", "retention.ms=7200000,min.insync.replicas=2");
        var described = await RunAsync(broker, "configs", "--describe", "--entity-type", "topics", "--entity-name", "t");
        Assert.Contains("retention.ms=7200000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=7200000, DEFAULT_CONFIG:retention.ms=604800000}", described, StringComparison.Ordinal);
        Assert.Contains("num.partitions=1", await RunAsync(broker, "configs", "--describe", "--entity-type", "brokers", "--entity-name", "1", "--all"), StringComparison.Ordinal);
        await RunAsync(broker, "configs", "--describe", "--entity-type", "users");
    }

    [Fact]
    public async Task The_api_versions_tool_finds_all_that_the_broker_tells_usable()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        var told = await RunAsync(broker, "api-versions");
        foreach (var usable in (string[])["Produce(0): 0 to 13 [usable: 13]", "Fetch(1): 4 to 18 [usable: 18]", "ApiVersions(18): 0 to 4 [usable: 4]", "ConsumerGroupHeartbeat(68): 0 to 1 [usable: 1]", "DescribeTopicPartitions(75): 0 [usable: 0]"])
            Assert.Contains(usable, told, StringComparison.Ordinal);
        Assert.Equal(broker.Server.Broker.Apis.All.Count(), told.Split("[usable: ").Length - 1);
        Assert.Contains("ShareFetch(78): UNSUPPORTED", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_client_compatibility_test_passes()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        var output = await RunAsync(broker, "client-compatibility", "--topic", "cc", "--offsets-for-times-supported", "True", "--cluster-id-supported", "True",
            "--expect-record-too-large-exception", "False", "--num-cluster-nodes", "1", "--create-topics-supported", "True", "--describe-acls-supported", "True",
            "--describe-configs-supported", "True", "--idempotent-producer-supported", "True");
        Assert.Contains("SUCCESS", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_verifiable_and_latency_tools_and_those_that_look_at_replicas_and_delete_records_work()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await broker.CreateAsync("e2e");
        Assert.Contains("\"sent\":500,\"acked\":500", await RunAsync(broker, "verifiable-producer", "--topic", "t", "--max-messages", "500", "--acks", "-1"), StringComparison.Ordinal);
        var consumed = await RunAsync(broker, "verifiable-consumer", "--topic", "t", "--group-id", "g", "--max-messages", "500", "--reset-policy", "earliest");
        Assert.Matches("\"offsets_committed\".*\"offset\":500.*\"success\":true", consumed);
        Assert.Contains("Percentiles", await RunAsync(broker, "e2e-latency", "--topic", "e2e", "--num-records", "50", "--producer-acks", "all", "--record-size", "100"), StringComparison.Ordinal);
        Assert.Matches("\"partition\":\"t-0\",\"size\":[1-9]", await RunAsync(broker, "log-dirs", "--describe", "--topic-list", "t"));

        var offsets = Path.Combine(broker.Directory, "offsets.json");
        await File.WriteAllTextAsync(offsets, """{"partitions":[{"topic":"t","partition":0,"offset":200}],"version":1}""", TestContext.Current.CancellationToken);
        Assert.Contains("low_watermark: 200", await RunAsync(broker, "delete-records", "--offset-json-file", offsets), StringComparison.Ordinal);
        Assert.Contains("t:0:200", await RunAsync(broker, "get-offsets", "--topic", "t", "--time", "-2"), StringComparison.Ordinal);

        // It verifies until it is stopped; a busy machine needs longer to come to the first report.
        var verified = "";
        for (var seconds = 8; !verified.Contains("max lag", StringComparison.Ordinal) && seconds <= 32; seconds *= 2)
            (_, verified) = await KafkaTools.ExecuteAsync("/usr/bin/timeout", null, $"{seconds}", Path.Combine(KafkaTools.Directory!, "kafka"), "replica-verification", "--broker-list", broker.Bootstrap, "--topics-include", "t", "--report-interval-ms", "1000");
        Assert.Contains("max lag is 0 for partition t-0", verified, StringComparison.Ordinal);
    }

    static async Task<string> RunAsync(TestBroker broker, string program, params string[] arguments)
    {
        var (code, output) = await KafkaTools.RunAsync(program, ["--bootstrap-server", broker.Bootstrap, .. arguments]);
        Assert.True(code == 0, $"{program} ended with {code}: {output}");
        return output;
    }
}
