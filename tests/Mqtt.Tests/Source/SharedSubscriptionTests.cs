using System.Globalization;
using IotGateway.Connectors.Mqtt;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>Several tasks side by side.</summary>
public sealed class SharedSubscriptionTests
{
    static MqttConfig Config(string address) => new()
    {
        Endpoint = new Endpoints(address), ClientId = "gw", Subscriptions = [new() { Filter = "$share/g/plant/#" }, new() { Filter = "other" }],
    };

    [Fact]
    public void Only_shared_subscriptions_are_split_and_keys_survive_edits()
    {
        var factory = new MqttFactory();
        var config = Config("mqtt://h");
        Assert.Equal(["", "1", "2"], factory.Split(config, 3).Select(p => p.Key));
        Assert.Equal(["", "1"], factory.Split(config with { KeepAlive = TimeSpan.FromSeconds(9) }, 2).Select(p => p.Key));
        Assert.Equal(["$share/g/plant/#,other", "$share/g/plant/#"], factory.Split(config, 2).Select(p => string.Join(',', p.Config.Subscriptions.Select(s => s.Filter))));
        Assert.Equal([""], factory.Split(config with { Subscriptions = [new() { Filter = "a" }] }, 4).Select(p => p.Key));
        Assert.Equal([""], factory.Split(config, 1).Select(p => p.Key));
    }

    [Fact]
    public async Task Two_tasks_share_the_messages_and_keep_a_session_each()
    {
        await using var broker = await Mosquitto.StartAsync();
        var store = new DurableStore();
        var factory = new MqttFactory();
        Task<SourceDriver>[] Start() => [.. factory.Split(Config(broker.Address), 2).Select(p => new SourceDriver((ISource)factory.Create(p.Config, new FakeContext(store)), store).StartAsync())];

        var tasks = await Task.WhenAll(Start());
        await broker.PublishAsync("plant/1", Enumerable.Range(0, 1_000).Select(i => i.ToString(CultureInfo.InvariantCulture)));
        await tasks[0].UntilAsync(s => s.Records.Count >= 1_000);
        Assert.Contains(store.State.Keys, k => k == "session");
        Assert.Contains(store.State.Keys, k => k == "task/1/session");
        Assert.Contains(store.State.Keys, k => k.StartsWith("task/1/q1/", StringComparison.Ordinal));
        Assert.Contains(store.State.Keys, k => k.StartsWith("q1/", StringComparison.Ordinal));
        foreach (var task in tasks) await task.CloseAsync();

        await broker.PublishAsync("plant/1", Enumerable.Range(1_000, 1_000).Select(i => i.ToString(CultureInfo.InvariantCulture)));
        tasks = await Task.WhenAll(Start());
        await tasks[0].UntilAsync(s => s.Records.Count >= 2_000);
        Assert.Equal(Enumerable.Range(0, 2_000), store.Records.Select(r => int.Parse(Gateway.Text(r.Value), CultureInfo.InvariantCulture)).Order());
        foreach (var task in tasks) await task.CloseAsync(CloseReason.Remove);
        Assert.Contains(" as gw-1 (", broker.Log(), StringComparison.Ordinal);
    }
}
