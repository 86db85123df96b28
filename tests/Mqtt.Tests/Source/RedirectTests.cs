using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>Brokers that send us elsewhere (MQTT 5 §4.11).</summary>
public sealed class RedirectTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static string Reference(FakeBroker broker) => broker.Address["mqtt://".Length..];

    static MqttProperties To(string reference) => new PropertiesBuilder().Text(PropertyId.ServerReference, reference).Build();

    static async Task SendAwayAsync(FakeBroker from, ReasonCode reason, string reference)
    {
        var connection = await from.AcceptAsync();
        await connection.ReadAsync<ConnectPacket>();
        await connection.SendAsync(new ConnAckPacket(reason, false) { Properties = To(reference) });
    }

    [Theory]
    [InlineData(ReasonCode.UseAnotherServer, true)] // for once: the next connection asks the first again
    [InlineData(ReasonCode.ServerMoved, false)] // for good
    public async Task A_refusal_with_a_server_leads_there(object reason, bool asksAgain)
    {
        await using var first = new FakeBroker();
        await using var second = new FakeBroker();
        var gateway = new Gateway(first.Address);
        for (var life = 0; life < 2; life++)
        {
            var run = gateway.Driver();
            var starting = run.StartAsync();
            if (life == 0 || asksAgain) await SendAwayAsync(first, (ReasonCode)reason, "nonsense::: " + Reference(second));
            var connection = await second.AcceptSubscriberAsync();
            await starting;
            await connection.PublishAsync(1, $"{life}");
            await connection.AckAsync(PacketType.PubAck);
            await run.CloseAsync();
        }
        Assert.Equal(["0", "1"], gateway.Payloads);
    }

    [Fact]
    public async Task A_running_connection_sent_away_is_followed_by_one_to_the_other_server_and_then_by_the_configured()
    {
        await using var first = new FakeBroker();
        await using var second = new FakeBroker();
        var gateway = new Gateway(first.Address);
        var run = gateway.Driver();
        var starting = run.StartAsync();
        var connection = await first.AcceptSubscriberAsync();
        await starting;
        await connection.SendAsync(new DisconnectPacket(ReasonCode.UseAnotherServer) { Properties = To(Reference(second)) });
        var fault = await Assert.ThrowsAsync<IOException>(() => run.Reading.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Contains("0x9c use another server (use server " + Reference(second), fault.Message, StringComparison.Ordinal);
        await run.CloseAsync(CloseReason.Fault);
        foreach (var broker in new[] { second, first })
        {
            var next = gateway.Driver();
            starting = next.StartAsync();
            await broker.AcceptSubscriberAsync();
            await starting;
            await next.CloseAsync(CloseReason.Fault);
        }
    }

    [Fact]
    public async Task A_server_moved_to_that_is_gone_gives_way_to_the_configured()
    {
        await using var first = new FakeBroker();
        var gateway = new Gateway(first.Address);
        await using (var source = gateway.Create())
        {
            var opening = source.OpenAsync(OpenMode.Run, Ct).AsTask();
            await SendAwayAsync(first, ReasonCode.ServerMoved, $"127.0.0.1:{Ports.Free()}");
            await Assert.ThrowsAsync<IOException>(() => opening);
        }
        var run = gateway.Driver();
        var starting = run.StartAsync();
        await first.AcceptSubscriberAsync();
        await starting;
        await run.CloseAsync();
    }

    [Fact]
    public async Task Two_brokers_that_name_each_other_are_left_alone_after_three_times()
    {
        await using var first = new FakeBroker();
        await using var second = new FakeBroker();
        await using var source = new Gateway(first.Address).Create();
        var opening = source.OpenAsync(OpenMode.Run, Ct).AsTask();
        for (var i = 0; i < 4; i++) await SendAwayAsync(i % 2 == 0 ? first : second, ReasonCode.UseAnotherServer, Reference(i % 2 == 0 ? second : first));
        Assert.Contains("use another server", (await Assert.ThrowsAsync<IOException>(() => opening)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_followed_where_the_configuration_says_so()
    {
        await using var first = new FakeBroker();
        await using var second = new FakeBroker();
        var gateway = new Gateway(first.Address);
        gateway.Config = gateway.Config with { FollowRedirects = false };
        await using var source = gateway.Create();
        var opening = source.OpenAsync(OpenMode.Run, Ct).AsTask();
        await SendAwayAsync(first, ReasonCode.UseAnotherServer, Reference(second));
        Assert.Contains(Reference(second), (await Assert.ThrowsAsync<IOException>(() => opening)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("b", "mqtts://a", "mqtts://b:8883")]
    [InlineData("b:1", "mqtt://a", "mqtt://b:1")]
    [InlineData("[2001:db8::1]:1", "mqtt://a", "mqtt://[2001:db8::1]:1")]
    [InlineData("b", "wss://a/mqtt", "wss://b:443/mqtt")]
    [InlineData("mqtts://b:1", "mqtts://a", "mqtts://b:1")]
    [InlineData("169.254.169.254 b", "mqtt://a", "mqtt://b:1883")]
    [InlineData("127.0.0.1:1884", "mqtt://localhost", "mqtt://127.0.0.1:1884")]
    [InlineData("mqtt://b", "mqtts://a", null)] // from TLS to plain
    [InlineData("ws://b/x", "mqtt://a", null)]
    [InlineData("169.254.169.254", "mqtt://a", null)]
    [InlineData("[::ffff:169.254.169.254]", "mqtt://a", null)]
    [InlineData("[fe80::1]", "mqtt://a", null)]
    [InlineData("localhost:6379", "mqtt://a", null)]
    [InlineData("0.0.0.0", "mqtt://a", null)]
    [InlineData("[::1]", "mqtt://a", null)]
    [InlineData("user:pw@b", "mqtt://a", null)]
    [InlineData("b/../x", "mqtt://a", null)]
    [InlineData("", "mqtt://a", null)]
    [InlineData("b", "unix:///s", null)]
    public void A_reference_must_not_lead_around_what_the_configuration_asks_for(string reference, string from, string? to)
        => Assert.Equal(to, ServerReference.Read(reference, MqttAddress.TryParse(from, out _)!, out var why)?.ToString() ?? (why is null ? "no reason" : null));
}
