using System.Globalization;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>A broker of a plant that fetches from one further down: mosquitto's bridge.</summary>
public sealed class BridgeTests
{
    [Fact]
    public async Task What_a_bridge_fetches_arrives_once_and_in_order_also_when_the_bridging_broker_was_away()
    {
        await using var line = await Mosquitto.StartAsync();
        await line.PublishAsync("plant/state", ["running"], 1, "-r");
        await using var plant = await Mosquitto.StartAsync("connection line", $"address 127.0.0.1:{line.Port}", "topic plant/# in 2 berlin/", "cleansession false", "restart_timeout 1 1", "notifications false");
        var gateway = new Gateway(plant.Address);
        await using var run = await gateway.Driver().StartAsync();
        await run.UntilAsync(s => s.Records.Count == 1, timeoutSeconds: 30, "the retained message");
        await line.PublishAsync("plant/1", Numbers(0, 500), qos: 2);
        await run.UntilAsync(s => s.Records.Count == 501, timeoutSeconds: 30);
        await run.CloseAsync();
        await plant.StopAsync();
        await line.PublishAsync("plant/1", Numbers(500, 500), qos: 2); // the line keeps them for the bridge
        await plant.StartProcessAsync();
        await using var next = await gateway.Driver().StartAsync();
        await next.UntilAsync(s => s.Records.Count(r => Topic(r) == "berlin/plant/1") == 1_000, timeoutSeconds: 60);
        Assert.Equal(Numbers(0, 1_000), gateway.Store.Records.Where(r => Topic(r) == "berlin/plant/1").Select(r => Gateway.Text(r.Value)));
        Assert.Equal(("berlin/plant/state", "running"), (Topic(gateway.Store.Records[0]), Gateway.Text(gateway.Store.Records[0].Value)));
    }

    static string Topic(Sdk.Data.Record record) => Gateway.Text(record.Headers.Single(h => h.Name == "mqtt.topic").Value);

    static IEnumerable<string> Numbers(int from, int count) => Enumerable.Range(from, count).Select(i => i.ToString(CultureInfo.InvariantCulture));
}
