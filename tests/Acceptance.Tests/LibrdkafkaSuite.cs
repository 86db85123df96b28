using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Acceptance.Tests;

/// <summary>
/// librdkafka's own integration tests, built once into <c>.work/librdkafka</c>, and a gateway set up the way they expect a broker: four
/// partitions by default, topics made on first use, ACLs that allow what they do not cover. Each test is a process of its own.
/// </summary>
public sealed class LibrdkafkaSuite : IAsyncLifetime
{
    const int BuildSeconds = 600, TestSeconds = 90;
    readonly GatewayUnderTest _gateway = new(gatewayOptions: options =>
    {
        options["broker"]!["defaultPartitions"] = 4;
        options["broker"]!["autoCreateTopics"] = true;
        options["broker"]!["acls"] = new JsonObject { ["enabled"] = true, ["allowEveryoneIfNoAclFound"] = true };
    });
    readonly string _source = Path.Combine(Machine.Root, ".work/librdkafka");
    string? _missing;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Path.Combine(_source, ".ready")))
        {
            await using var build = Tool.Start(Path.Combine(Machine.Root, "tests/peers/librdkafka/build"), [_source]);
            if (await build.WaitAsync(BuildSeconds) != 0)
            {
                _missing = build.Output.Trim();
                return;
            }
        }
        var settings = $"metadata.broker.list={_gateway.Broker}\n";
        await File.WriteAllTextAsync(Path.Combine(_gateway.Root, "test.conf"), settings);
        // 0119 has 20 s, listens for 15 of them, and starts Java four times.
        await File.WriteAllTextAsync(Path.Combine(_gateway.Root, "test-java.conf"), settings + "test.timeout.multiplier=2\n");
        await _gateway.StartAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_missing is null) await _gateway.StopAsync();
        await _gateway.DisposeAsync();
    }

    /// <summary>Runs one; fails with the end of its output unless it says that it passed. Skips where the suite cannot be built.</summary>
    /// <param name="name">The test.</param>
    /// <param name="kafka">Where Apache Kafka's programs are, for a test that calls them.</param>
    internal async Task PassesAsync(string name, string? kafka = null)
    {
        if (_missing is not null) Assert.Skip("librdkafka's tests could not be built here: " + _missing);
        var number = name[..4];
        await using var run = Tool.Start("bash", ["-c", "cd \"$1\" && exec ./test-runner -L -K -Q -p1 -V 4.3.1 </dev/null", "suite", Path.Combine(_source, "tests")], new Dictionary<string, string>
        {
            ["TESTS"] = number,
            ["BROKERS"] = _gateway.Broker,
            ["RDKAFKA_TEST_CONF"] = Path.Combine(_gateway.Root, kafka is null ? "test.conf" : "test-java.conf"),
            ["KAFKA_PATH"] = kafka ?? "",
            ["KAFKA_HEAP_OPTS"] = "-Xmx192m -XX:TieredStopAtLevel=1", // halves the processor time of a start of Java
            ["LD_LIBRARY_PATH"] = $"{_source}/src:{_source}/src-cpp",
        });
        await run.WaitAsync(TestSeconds);
        // Its exit code also speaks of trouble in its own tear-down.
        var passed = Regex.IsMatch(run.Output, $"Test {name} PASSED") && !Regex.IsMatch(run.Output, "TEST FAILURE|Test [0-9a-z_]+ FAILED");
        if (!passed) Assert.Fail($"{name} did not pass:\n{string.Join('\n', run.Output.Split('\n').TakeLast(40))}\nGateway:\n{_gateway.Log}");
    }
}
