using System.Text.Json.Nodes;

namespace Acceptance.Tests;

/// <summary>The worked examples of the connector's README, run as they stand there but for the broker's port: what it says comes out, comes out.</summary>
public sealed class MqttExampleTests
{
    [Theory]
    [InlineData("fleet")]
    [InlineData("readings")]
    public async Task A_worked_example_gives_what_the_README_shows(string name)
    {
        var example = await ReadmeExample.ReadAsync("Mqtt", name);
        await using var broker = await Mosquitto.StartAsync();
        await using var gateway = new GatewayUnderTest();
        var config = JsonNode.Parse(example.Block("json"))!.AsObject();
        config["endpoint"] = $"mqtt://127.0.0.1:{broker.Port}";
        gateway.Connector("line", config);
        await gateway.StartAsync();
        await gateway.RunningAsync("line");
        await Tool.RunAsync("bash", ["-e", "-c", example.Block("sh").Replace("mosquitto_pub", $"mosquitto_pub -h 127.0.0.1 -p {broker.Port}", StringComparison.Ordinal)]);
        var expected = example.Block("text").Split('\n');
        foreach (var topic in expected.GroupBy(l => l.Split(' ')[0]))
        {
            List<string> lines = [];
            await Eventually.TrueAsync(() => (lines = Read(gateway, topic.Key)).Count >= topic.Count(), 30, () => $"{topic.Key} has {string.Join(" | ", lines)}.\n{gateway.Log}");
            Assert.Equal(topic, lines);
        }
    }

    static List<string> Read(GatewayUnderTest gateway, string topic)
        => [.. Tool.RunAsync("kcat", ["-b", gateway.Broker, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%t %k %s\n"], 60, anyExit: true).GetAwaiter().GetResult()
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l.StartsWith(topic, StringComparison.Ordinal))];
}
