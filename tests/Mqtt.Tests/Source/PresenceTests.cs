using System.ComponentModel.DataAnnotations;
using System.Text;
using IotGateway.Connectors.Mqtt;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Tests.Mqtt.Brokers;
using IotGateway.Tests.Mqtt.Client;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>What others at the broker see of the connector's being there.</summary>
public sealed class PresenceTests
{
    [Theory]
    [InlineData("3.1.1")]
    [InlineData("5.0")]
    public async Task It_is_said_on_connecting_on_an_orderly_end_and_by_the_broker_when_the_connection_is_lost(string version)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var watcher = await Clients.ConnectAsync(broker.Address, "watcher", "gateways/#");
        var gateway = new Gateway(broker.Address);
        gateway.Config = gateway.Config with { Version = version, Subscriptions = [new() { Filter = "plant/#" }], Presence = new() { Topic = "gateways/${connector}/state", Offline = "gone" } };
        async Task SeesAsync(string payload)
        {
            var message = await watcher.NextAsync();
            Assert.Equal(("gateways/test/state", payload), (Encoding.UTF8.GetString(message.Topic.Span), Encoding.UTF8.GetString(message.Payload.Span)));
        }

        foreach (var why in new[] { CloseReason.Stop, CloseReason.Remove })
        {
            var run = await gateway.Driver().StartAsync();
            await SeesAsync("online");
            await run.CloseAsync(why);
            await SeesAsync("gone"); // in 3.1.1 a session is removed by breaking the connection and making a clean one
        }
        var killed = await gateway.Driver().StartAsync();
        await SeesAsync("online");
        await killed.KillAsync();
        await SeesAsync("gone");
        await using var late = await Clients.ConnectAsync(broker.Address, "late", "gateways/#");
        Assert.True((await late.NextAsync()).Retain);
    }

    [Theory]
    [InlineData("a/${gateway}", true)]
    [InlineData("a/${topic}", false)]
    [InlineData("a/${payload.x}", false)]
    [InlineData("a/#", false)]
    [InlineData("", false)]
    public void Its_topic_is_checked(string topic, bool valid)
    {
        var presence = new MqttPresence { Topic = topic };
        Assert.Equal(valid, !presence.Validate(new ValidationContext(presence)).Any());
    }
}
