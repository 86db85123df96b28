using System.Text.Json.Nodes;

namespace Acceptance.Tests;

/// <summary>What a plant engineer meets when something is wrong.</summary>
public sealed class CliTests
{
    static readonly JsonObject Tail = new() { ["connector"] = "files", ["path"] = "/tmp/iotgateway-none/*.log" };

    [Fact]
    public async Task Validate_and_run_name_every_error_with_place_and_fix_and_start_nothing()
    {
        await using var gateway = new GatewayUnderTest();
        var file = Path.Combine(gateway.Config, "connectors", "bad.json");
        await File.WriteAllTextAsync(file, """
            {
              "connector": "modbus",
              "endpoint": "tcp://127.0.0.1:1502",
              "evry": "500ms",
              "devices": [ { "name": "press1", "unitId": "one", "tags": [
                { "name": "t", "address": "holding:1", "type": "flaot32" } ] } ]
            }
            """);
        gateway.Connector("other", new JsonObject { ["connector"] = "modbuss" });
        foreach (var verb in (string[])["validate", "run"])
        {
            string[] arguments = verb == "run" ? [verb, "--config", gateway.Config, "--data", gateway.Data] : [verb, "--config", gateway.Config];
            await using var tool = Tool.Start(Machine.Gateway, arguments, gateway.Environment);
            Assert.Equal(2, await tool.WaitAsync(20));
            var output = tool.Output;
            Assert.Matches(@"bad\.json:4:\d+: .*evry.*every", output);
            Assert.Matches(@"bad\.json:5:\d+: .*unitId", output);
            Assert.Matches(@"bad\.json:6:\d+: .*flaot32.*float32", output);
            Assert.Matches(@"other\.json:\d+:\d+: .*modbuss.*modbus", output);
        }
        Assert.False(Directory.Exists(gateway.Data));
    }

    [Theory, InlineData("nonsense"), InlineData("validate", "--nonsense"), InlineData("bench", "nonsense")]
    public async Task Wrong_usage_exits_with_2(params string[] arguments)
    {
        await using var tool = Tool.Start(Machine.Gateway, arguments);
        Assert.Equal(2, await tool.WaitAsync(20));
    }

    [Fact]
    public async Task A_taken_port_and_a_taken_data_folder_are_named_with_the_setting_to_change()
    {
        await using var first = new GatewayUnderTest();
        await first.StartAsync();
        await using var samePort = new GatewayUnderTest(gatewayOptions: o => o["broker"]!["listen"] = first.Broker);
        Assert.Contains("broker.listen", await FailsAsync(samePort), StringComparison.Ordinal);
        await using var sameData = new GatewayUnderTest { Data = first.Data };
        Assert.Contains("--data", await FailsAsync(sameData), StringComparison.Ordinal);
        Assert.Equal("testgw", (string?)(await first.GetAsync("/api/status"))["gateway"]); // the first was not disturbed
    }

    [Fact]
    public async Task A_changed_connector_file_is_applied_and_a_bad_change_leaves_the_old_running()
    {
        await using var gateway = new GatewayUnderTest();
        await gateway.StartAsync();
        gateway.Connector("tail", (JsonObject)Tail.DeepClone());
        await Eventually.TrueAsync(() => gateway.Log.Contains("1 connector(s) added", StringComparison.Ordinal), 15, () => gateway.Log);
        await gateway.RunningAsync("tail");
        gateway.Connector("tail", new JsonObject { ["connector"] = "files", ["paht"] = "x" });
        await Eventually.TrueAsync(() => gateway.Log.Contains("Did you mean 'path'", StringComparison.Ordinal), 15, () => gateway.Log);
        await gateway.RunningAsync("tail");
        File.Delete(Path.Combine(gateway.Config, "connectors", "tail.json"));
        await Eventually.TrueAsync(() => gateway.Log.Contains("1 removed", StringComparison.Ordinal), 15, () => gateway.Log);
        await gateway.StopAsync();
    }

    [Fact]
    public async Task Changed_users_of_the_broker_are_applied_without_a_restart()
    {
        await using var gateway = new GatewayUnderTest(gatewayOptions: o =>
        {
            o["broker"]!["sasl"] = new JsonObject();
            o["broker"]!["users"] = new JsonArray(new JsonObject { ["name"] = "admin", ["password"] = "first" });
        });
        await gateway.StartAsync();
        Assert.Equal(0, await LogInAsync(gateway, "admin", "first"));
        var file = Path.Combine(gateway.Config, "gateway.json");
        var options = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        options["broker"]!["users"] = new JsonArray(new JsonObject { ["name"] = "mes", ["password"] = "second" });
        await File.WriteAllTextAsync(file, options.ToJsonString());
        await Eventually.TrueAsync(() => gateway.Log.Contains("Configuration applied", StringComparison.Ordinal), 30, () => gateway.Log);
        Assert.Equal(0, await LogInAsync(gateway, "mes", "second"));
        Assert.NotEqual(0, await LogInAsync(gateway, "admin", "first"));
        Assert.DoesNotContain("restart the gateway", gateway.Log, StringComparison.Ordinal);
        await gateway.StopAsync();
    }

    [Fact]
    public async Task A_changed_lane_reaches_the_topics_there_are_and_what_needs_a_restart_is_named()
    {
        await using var gateway = new GatewayUnderTest();
        await gateway.StartAsync();
        await Tool.RunAsync(Machine.Gateway, ["produce", "alarms.north", "--config", gateway.Config], input: "hello\n");
        var file = Path.Combine(gateway.Config, "gateway.json");
        var options = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        options["topics"] = new JsonArray(new JsonObject { ["match"] = "alarms.*", ["lane"] = "high" });
        options["broker"]!["acls"] = new JsonObject { ["enabled"] = true, ["superUsers"] = new JsonArray("User:ANONYMOUS") };
        options["broker"]!["listeners"] = new JsonArray(new JsonObject { ["name"] = "more", ["listen"] = $"127.0.0.1:{Ports.Free()}" });
        await File.WriteAllTextAsync(file, options.ToJsonString());
        await Eventually.TrueAsync(() => gateway.Log.Contains("Configuration applied", StringComparison.Ordinal), 30, () => gateway.Log);
        Assert.Contains("gateway.json has changed in broker.listeners, which only a start reads", gateway.Log, StringComparison.Ordinal);
        Assert.Contains("settings of 1 topic(s) were changed, among them alarms.north", gateway.Log, StringComparison.Ordinal);
        Assert.Contains("ACLs are now on", gateway.Log, StringComparison.Ordinal);
        await gateway.StopAsync();
    }

    static async Task<int> LogInAsync(GatewayUnderTest gateway, string user, string password)
    {
        var own = Path.Combine(gateway.Root, user + ".properties");
        await File.WriteAllTextAsync(own, $"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.username={user}\nsasl.password={password}\n");
        await using var tool = Tool.Start(Machine.Gateway, ["topics", "--client-config", own, "--config", gateway.Config]);
        return await tool.WaitAsync(40);
    }

    [Fact]
    public async Task Lines_of_a_file_are_produced_consumed_and_seen_in_the_status()
    {
        await using var gateway = new GatewayUnderTest();
        var log = Path.Combine(gateway.Root, "machine.log");
        await File.WriteAllTextAsync(log, "one\ntwo\n");
        gateway.Connector("lines", new JsonObject { ["connector"] = "files", ["path"] = log });
        await gateway.StartAsync();
        await Eventually.TrueAsync(() => gateway.CliAsync("topics").GetAwaiter().GetResult().Contains("lines", StringComparison.Ordinal), 15, () => gateway.Log);
        var consumed = await gateway.CliAsync("consume", "lines", "--count", "2");
        Assert.Contains("one", consumed, StringComparison.Ordinal);
        Assert.Contains("two", consumed, StringComparison.Ordinal);
        await Tool.RunAsync(Machine.Gateway, ["produce", "by-hand", "--key-separator", ":", "--config", gateway.Config], input: "k:v\n");
        Assert.Contains("k v", await gateway.CliAsync("consume", "by-hand", "--exit"), StringComparison.Ordinal);
        var status = JsonNode.Parse(await gateway.CliAsync("status", "--json"))!;
        Assert.Equal("running", (string?)status["connectors"]![0]!["state"]);
        Assert.Equal(2, (long?)status["connectors"]![0]!["recordsIn"]);
        await gateway.StopAsync();
    }

    static async Task<string> FailsAsync(GatewayUnderTest gateway)
    {
        await using var tool = Tool.Start(Machine.Gateway, ["run", "--config", gateway.Config, "--data", gateway.Data], gateway.Environment);
        Assert.Equal(1, await tool.WaitAsync(20));
        return tool.Output;
    }
}
