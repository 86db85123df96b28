using IotGateway.Connectors.Mqtt;
using IotGateway.Sdk;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>What a subscription of version 5 can ask for (§3.8.3.1), against a real broker.</summary>
public sealed class SubscriptionOptionsTests
{
    [Theory]
    [InlineData("Always", 2)]
    [InlineData("WhenNew", 1)]
    [InlineData("Never", 0)]
    public async Task Retained_messages_come_as_often_as_asked_for(string retained, int times)
    {
        await using var broker = await Mosquitto.StartAsync();
        await broker.PublishAsync("plant/1", ["kept"], 1, "-r");
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Subscriptions = [new() { Filter = "#", Retained = Enum.Parse<RetainedMessages>(retained) }] };
        foreach (var connection in new[] { "first", "second" })
        {
            var run = await gateway.Driver().StartAsync();
            await run.UntilAsync(s => s.State.ContainsKey("subscriptions"));
            await broker.PublishAsync("plant/2", [connection]);
            await run.UntilAsync(_ => gateway.Payloads.Contains(connection));
            await run.CloseAsync(CloseReason.Fault);
        }
        Assert.Equal(times, gateway.Payloads.Count(p => p == "kept"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_retain_flag_is_the_publishers_or_that_of_the_subscription(bool asPublished)
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Subscriptions = [new() { Filter = "#", RetainAsPublished = asPublished }] };
        await using var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("plant/1", ["x"], 1, "-r");
        await run.UntilAsync(s => s.Records.Count == 1);
        Assert.Equal(asPublished ? "true" : "false", Gateway.Text(gateway.Store.Records[0].Headers.Single(h => h.Name == "mqtt.retain").Value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_this_client_publishes_comes_back_unless_it_is_left_out(bool noLocal)
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Subscriptions = [new() { Filter = "#", NoLocal = noLocal }], Presence = new() { Topic = "gateways/state", Retain = false } };
        await using var run = await gateway.Driver().StartAsync();
        await run.UntilAsync(_ => noLocal || gateway.Payloads.Contains("online"));
        await broker.PublishAsync("plant/1", ["x"]);
        await run.UntilAsync(_ => gateway.Payloads.Contains("x"));
        Assert.Equal(noLocal ? ["x"] : ["online", "x"], gateway.Payloads);
    }

    [Fact]
    public async Task Over_a_secure_WebSocket_with_an_own_authority()
    {
        await using var broker = await Mosquitto.StartAsync(folder =>
        {
            using var certificates = new Certificates(folder);
            certificates.Sign("server", "broker.plant");
        }, "listener $PORT2 127.0.0.1", "protocol websockets", "certfile $FOLDER/server.pem", "keyfile $FOLDER/server.key");
        var gateway = new Gateway($"wss://127.0.0.1:{broker.Port2}/mqtt");
        gateway.Config = gateway.Config with { Tls = new() { Ca = broker.Folder + "/ca.pem", ServerName = "broker.plant" } };
        await using var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("a", ["x"]);
        await run.UntilAsync(s => s.Records.Count == 1);

        gateway.Config = gateway.Config with { Tls = new() { Ca = broker.Folder + "/ca.pem" }, ClientId = "other" };
        await using var source = gateway.Create();
        Assert.Contains("RemoteCertificateNameMismatch", (await Assert.ThrowsAsync<IOException>(() => source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken).AsTask())).Message, StringComparison.Ordinal);
    }
}
