using System.Text;
using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>A changed configuration on a running connection.</summary>
public sealed class ReconfigureTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_in_flight_under_a_filter_given_up_is_stored_as_before_and_acknowledged()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Subscriptions = [new() { Filter = "a/#", Topic = "first" }, new() { Filter = "b/#", Topic = "second" }] };
        var disk = new TaskCompletionSource();
        var run = gateway.Driver(_ => disk.Task);
        var starting = run.StartAsync();
        var connection = await broker.AcceptSubscriberAsync();
        await starting;
        await connection.PublishAsync(1, "1", topic: "a/x");
        var source = (MqttSource)run.Source;
        var applying = source.TryApplyAsync(gateway.Config with { Subscriptions = [new() { Filter = "b/#", Topic = "changed" }, new() { Filter = "c/#", Topic = "third" }] }, Ct).AsTask();
        var given = await connection.ReadAsync<UnsubscribePacket>();
        Assert.Equal(["a/#"], given.Filters.Select(f => Encoding.UTF8.GetString(f.Span)));
        await connection.PublishAsync(2, "2", topic: "a/y"); // sent before the broker knew
        await connection.SendAsync(new SubAckPacket(PacketType.UnsubAck, given.PacketId, new byte[] { 0 }));
        var taken = await connection.ReadAsync<SubscribePacket>();
        Assert.Equal(["b/#", "c/#"], taken.Filters.Select(f => Encoding.UTF8.GetString(f.Filter.Span)));
        await connection.SendAsync(new SubAckPacket(PacketType.SubAck, taken.PacketId, new byte[] { 1, 1 }));
        Assert.IsType<ApplyResult.Applied>(await applying);
        await connection.PublishAsync(3, "3", topic: "b/x");
        await connection.PublishAsync(4, "4", topic: "c/x");
        disk.SetResult();
        for (var id = 1; id <= 4; id++) Assert.Equal(id, await connection.AckAsync(PacketType.PubAck));
        Assert.Equal(["first/1", "first/2", "changed/3", "third/4"], gateway.Store.Records.Select(r => $"{r.Topic}/{Gateway.Text(r.Value)}"));
        await run.CloseAsync();
    }

    [Theory]
    [InlineData("3.1.1")]
    [InlineData("5.0")]
    public async Task Subscriptions_change_without_a_new_connection_and_survive_the_next_start(string version)
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Version = version, Subscriptions = [new() { Filter = "a" }, new() { Filter = "b" }] };
        var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("a", ["a1"]);
        await run.UntilAsync(_ => gateway.Payloads.Length == 1);
        gateway.Config = gateway.Config with { Subscriptions = [new() { Filter = "b" }, new() { Filter = "c", Qos = 2 }] };
        Assert.IsType<ApplyResult.Applied>(await ((MqttSource)run.Source).TryApplyAsync(gateway.Config, Ct));
        foreach (var topic in new[] { "a", "b", "c" }) await broker.PublishAsync(topic, [topic + "2"]);
        await run.UntilAsync(_ => gateway.Payloads.Contains("c2"));
        Assert.Equal(["a1", "b2", "c2"], gateway.Payloads);
        await run.CloseAsync();
        await broker.PublishAsync("c", ["c3"]);
        var next = await gateway.Driver().StartAsync();
        await next.UntilAsync(_ => gateway.Payloads.Contains("c3"));
        await next.CloseAsync();
        Assert.Equal(3, broker.Log().Split(" as gw (").Length); // two connections in all
    }

    [Fact]
    public async Task Overlapping_subscriptions_added_while_running_map_each_copy_by_its_identifier()
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Subscriptions = [new() { Filter = "x/#", Topic = "wide" }] };
        await using var run = await gateway.Driver().StartAsync();
        var next = gateway.Config with { Subscriptions = [new() { Filter = "x/1", Topic = "narrow" }, .. gateway.Config.Subscriptions] };
        Assert.IsType<ApplyResult.Applied>(await ((MqttSource)run.Source).TryApplyAsync(next, Ct));
        await broker.PublishAsync("x/1", ["m"]);
        await run.UntilAsync(s => s.Records.Count == 2);
        Assert.Equal(["narrow", "wide"], gateway.Store.Records.Select(r => r.Topic).Order());
    }

    [Fact]
    public async Task Anything_else_needs_a_restart_and_changes_nothing()
    {
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address);
        var run = gateway.Driver();
        var starting = run.StartAsync();
        var connection = await broker.AcceptSubscriberAsync();
        await starting;
        var source = (MqttSource)run.Source;
        foreach (var next in new[] { gateway.Config with { KeepAlive = TimeSpan.FromSeconds(7) }, gateway.Config with { Endpoint = new Endpoints("mqtt://127.0.0.1:9") }, gateway.Config with { Tls = new() { Ca = "x" } } })
            Assert.IsType<ApplyResult.NeedsRestart>(await source.TryApplyAsync(next with { Subscriptions = [] }, Ct));
        await connection.SilenceAsync();
        var applying = source.TryApplyAsync(gateway.Config with { Endpoint = new Endpoints(broker.Address), Key = "k" }, Ct).AsTask();
        await connection.GrantAsync();
        Assert.IsType<ApplyResult.Applied>(await applying);
        await run.CloseAsync();
    }
}
