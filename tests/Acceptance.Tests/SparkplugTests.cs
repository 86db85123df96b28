using System.Globalization;
using System.Text.Json.Nodes;
using Acceptance.Tests.PowerCut;
using IotGateway.Tests.Sparkplug.Support;

namespace Acceptance.Tests;

/// <summary>The real gateway as a Sparkplug host, mosquitto, and an independent edge node: killed, started again, commanded.</summary>
public sealed class SparkplugTests
{
    [Fact]
    public async Task After_a_kill_STATE_says_offline_then_online_and_the_edge_node_is_born_anew()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var states = Tool.Start("mosquitto_sub", ["-h", "127.0.0.1", "-p", Text(broker.Port), "-t", "spBv1.0/STATE/plant-host", "-q", "1"]);
        await using var gateway = new GatewayUnderTest();
        gateway.Connector("plant", new JsonObject
        {
            ["connector"] = "sparkplug",
            ["endpoint"] = $"mqtt://127.0.0.1:{broker.Port}",
            ["hostId"] = "plant-host",
            ["device"] = "${device}",
            ["devices"] = new JsonArray(new JsonObject
            {
                ["name"] = "press1",
                ["tags"] = new JsonArray(new JsonObject { ["name"] = "Outputs/Setpoint", ["type"] = "int32", ["write"] = new JsonObject { ["max"] = 100, ["readBack"] = new JsonObject { ["within"] = "5s" } } }),
            }),
        });
        await gateway.StartAsync();
        await gateway.RunningAsync("plant");
        await using var edge = await TahuEdge.StartAsync(broker.Port);
        await edge.SawAsync("born");
        await edge.DoAsync(new { @do = "data", n = 1 });
        await SawAsync(gateway, r => (string?)r["tag"] == "n" && (int?)r["value"] == 1, "the first value");
        Assert.Contains("press-shop/gateway1/press1", await gateway.CliAsync("browse", "plant", "press-shop/gateway1"), StringComparison.Ordinal);

        var outcome = await gateway.CliAsync("command", "plant", "press1", "Outputs/Setpoint", "42");
        Assert.Contains("confirmed", outcome, StringComparison.Ordinal);
        await SawAsync(gateway, r => (string?)r["tag"] == "Outputs/Setpoint" && (int?)r["value"] == 42, "the setpoint");

        await gateway.KillAsync();
        await Eventually.TrueAsync(() => States(states) is [true, false], 30, () => $"STATE said {states.Output}");
        await edge.DoAsync(new { @do = "data", n = 2 }); // nobody listens: that is the loss a rebirth makes good
        await gateway.StartAsync();
        await gateway.RunningAsync("plant");
        Assert.Equal("rebirth", (await edge.SawAsync("born", 60)).GetProperty("why").GetString());
        await SawAsync(gateway, r => (string?)r["tag"] == "n" && (int?)r["value"] == 2, "the value of the rebirth");
        Assert.Equal([true, false, true], States(states));
        var timestamps = states.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => (long)JsonNode.Parse(l)!["timestamp"]!).ToArray();
        Assert.True(timestamps[0] == timestamps[1] && timestamps[2] > timestamps[1], string.Join(", ", timestamps));

        await edge.DisposeAsync();
        await SawAsync(gateway, r => (string?)r["tag"] == "Outputs/Setpoint" && (string?)r["status"] == "sparkplug:ndeath", "the death");
        await gateway.StopAsync();
        await Eventually.TrueAsync(() => States(states) is [true, false, true, false], 30, () => $"STATE said {states.Output}");
    }

    [Fact]
    public async Task While_the_disk_is_full_STATE_says_offline_and_what_came_meanwhile_is_stored_after()
    {
        await using var disk = await LoopDisk.CreateAsync(512L << 20);
        await using var broker = await Mosquitto.StartAsync();
        await using var states = Tool.Start("mosquitto_sub", ["-h", "127.0.0.1", "-p", Text(broker.Port), "-t", "spBv1.0/STATE/plant-host", "-q", "1"]);
        await using var gateway = new GatewayUnderTest(gatewayOptions: o => o["log"] = new JsonObject { ["walSize"] = "32MiB", ["reserve"] = "16MiB" }) { Data = Path.Combine(disk.Mount, "data") };
        gateway.Connector("plant", new JsonObject { ["connector"] = "sparkplug", ["endpoint"] = $"mqtt://127.0.0.1:{broker.Port}", ["hostId"] = "plant-host" });
        await gateway.StartAsync();
        await gateway.RunningAsync("plant");
        await using var edge = await TahuEdge.StartAsync(broker.Port);
        await edge.SawAsync("born");
        await SawAsync(gateway, r => (string?)r["tag"] == "n", "the birth");

        var ballast = Path.Combine(disk.Mount, "ballast");
        await Tool.RunAsync("fallocate", ["-l", Text((int)(new DriveInfo(disk.Mount).AvailableFreeSpace - (8 << 20))), ballast]);
        var n = 0;
        await Eventually.TrueAsync(() =>
        {
            edge.DoAsync(new { @do = "data", n = ++n }).GetAwaiter().GetResult();
            return States(states) is [true, false];
        }, 60, () => $"STATE said {states.Output}\n{gateway.Log}");
        for (var more = n + 20; n < more;) await edge.DoAsync(new { @do = "data", n = ++n });
        File.Delete(ballast);
        await Eventually.TrueAsync(() => States(states) is [true, false, true], 60, () => $"STATE said {states.Output}\n{gateway.Log}");
        await SawAsync(gateway, r => (string?)r["tag"] == "n" && (int?)r["value"] == n, "the last value");
        var seen = (await Read(gateway)).Where(r => (string?)r["tag"] == "n").Select(r => (int?)r["value"] ?? -1);
        Assert.Equal(Enumerable.Range(0, n + 1), seen);
        await gateway.StopAsync();
    }

    [Fact]
    public async Task The_plant_of_the_README_gives_what_the_README_shows()
    {
        var example = await ReadmeExample.ReadAsync("Sparkplug", "plant");
        await using var broker = await Mosquitto.StartAsync();
        await using var gateway = new GatewayUnderTest();
        var config = JsonNode.Parse(example.Block("json"))!.AsObject();
        config["endpoint"] = $"mqtt://127.0.0.1:{broker.Port}";
        gateway.Connector("plant", config);
        await gateway.StartAsync();
        await gateway.RunningAsync("plant");
        await using var edge = await TahuEdge.StartAsync(broker.Port);
        await edge.SawAsync("born");
        foreach (var line in example.Block("text").Split('\n'))
        {
            var expected = line[..line.IndexOf(",\"time\"", StringComparison.Ordinal)];
            var topic = "sparkplug." + (string)JsonNode.Parse(line)!["device"]!;
            var records = "";
            await Eventually.TrueAsync(() => (records = ReadTextAsync(gateway, topic).GetAwaiter().GetResult()).Contains(expected, StringComparison.Ordinal), 60, () => $"{expected}\nis not in {topic}:\n{records}\n{gateway.Log}");
        }
        Assert.Contains("confirmed", await gateway.CliAsync("command", "plant", "press1", "Outputs/Setpoint", "60"), StringComparison.Ordinal);
        await gateway.StopAsync();
    }

    // What is said twice (a will after a goodbye the broker lost) is no change.
    static bool[] States(Tool subscriber)
    {
        List<bool> states = [];
        foreach (var line in subscriber.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            if ((bool)JsonNode.Parse(line)!["online"]! is var online && (states.Count == 0 || states[^1] != online)) states.Add(online);
        return [.. states];
    }

    static Task SawAsync(GatewayUnderTest gateway, Func<JsonNode, bool> what, string name)
        => Eventually.TrueAsync(() => Read(gateway).GetAwaiter().GetResult().Any(what), 60, () => $"{name} did not come:\n{gateway.Log}");

    static async Task<List<JsonNode>> Read(GatewayUnderTest gateway)
        => [.. (await ReadTextAsync(gateway, "plant")).Split('\n').Where(l => l.StartsWith('{')).Select(l => JsonNode.Parse(l)!)];

    static Task<string> ReadTextAsync(GatewayUnderTest gateway, string topic)
        => Tool.RunAsync("kcat", ["-b", gateway.Broker, "-C", "-t", topic, "-o", "beginning", "-e", "-X", "fetch.wait.max.ms=10", "-q", "-f", "%s\n"], 120, anyExit: true);

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
