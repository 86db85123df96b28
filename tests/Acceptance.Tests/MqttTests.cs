using System.Globalization;
using System.Text.Json.Nodes;

namespace Acceptance.Tests;

/// <summary>No acknowledged MQTT message is lost, whenever the gateway dies.</summary>
public sealed class MqttTests
{
    [Fact]
    public async Task Every_message_survives_five_kills_in_order()
    {
        var messages = Machine.Setting("MQTT_MESSAGES", 100_000);
        var kills = Machine.Setting("MQTT_KILLS", 5);
        var random = new Random(Machine.Seed);
        await using var broker = await Mosquitto.StartAsync();
        await using var gateway = new GatewayUnderTest();
        gateway.Connector("plant", new JsonObject
        {
            ["connector"] = "mqtt",
            ["endpoint"] = $"mqtt://127.0.0.1:{broker.Port}",
            ["subscriptions"] = new JsonArray(new JsonObject { ["filter"] = "plant/+/telemetry/#", ["qos"] = 1 }),
            ["topic"] = "plant.${topic[1]}",
            ["key"] = "${topic}",
            ["format"] = "raw",
        });
        await gateway.StartAsync();
        await gateway.RunningAsync("plant"); // the session exists before the first message

        var publishing = broker.PublishAsync("plant/line1/telemetry/press", Enumerable.Range(0, messages).Select(Payload), 300);
        for (var i = 0; i < kills; i++)
        {
            await Task.Delay(random.Next(100, 900));
            await gateway.KillAsync();
            await gateway.StartAsync();
            await gateway.RunningAsync("plant");
        }
        await publishing;

        List<int> seen = [];
        await Eventually.TrueAsync(() => (seen = Read(gateway).GetAwaiter().GetResult()).Distinct().Count() == messages, 180,
            () => $"{seen.Distinct().Count()} of {messages} distinct payloads arrived (seed {Machine.Seed}).\n{gateway.Log}");
        var first = seen.Distinct().ToList();
        Assert.Equal(Enumerable.Range(0, messages), first);
        TestContext.Current.TestOutputHelper!.WriteLine($"{messages} messages, {kills} kills, {seen.Count - messages} duplicates, seed {Machine.Seed}");
    }

    static string Payload(int n) => n.ToString("D8", CultureInfo.InvariantCulture).PadRight(200, 'x');

    static async Task<List<int>> Read(GatewayUnderTest gateway)
    {
        var output = await Tool.RunAsync("kcat", ["-b", gateway.Broker, "-C", "-t", "plant.line1", "-o", "beginning", "-e", "-X", "fetch.wait.max.ms=10", "-q", "-f", "%s\n"], 120, anyExit: true);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l.Length == 200).Select(l => int.Parse(l.AsSpan(0, 8), CultureInfo.InvariantCulture))];
    }
}
