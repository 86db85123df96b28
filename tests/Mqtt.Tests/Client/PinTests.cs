using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography.X509Certificates;
using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Sdk.Config;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Client;

/// <summary>Pinned keys: one more condition, never a way around the others.</summary>
public sealed class PinTests
{
    static readonly string Nobody = "sha256/" + Convert.ToBase64String(new byte[32]);

    static async Task ConnectAsync(Mosquitto broker, string name, params string[] pins)
    {
        var options = new MqttClientOptions { ClientId = "c", Pins = pins, Tls = new() { Ca = Path.Combine(broker.Folder, "ca.pem"), ServerName = name } };
        await using var client = await MqttConnect.ConnectAsync(options, MqttAddress.TryParse($"mqtts://127.0.0.1:{broker.Port2}", out _)!, TimeProvider.System, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_broker_is_taken_by_its_key_or_its_authoritys_and_no_other()
    {
        await using var broker = await Mosquitto.StartAsync(folder =>
        {
            using var certificates = new Certificates(folder);
            certificates.Sign("server", "broker.plant");
        }, "listener $PORT2 127.0.0.1", "certfile $FOLDER/server.pem", "keyfile $FOLDER/server.key");
        using var server = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(broker.Folder, "server.pem"));
        using var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(broker.Folder, "ca.pem"));
        await ConnectAsync(broker, "broker.plant", Nobody, MqttTls.PinOf(server));
        await ConnectAsync(broker, "broker.plant", MqttTls.PinOf(authority));
        var wrong = await Assert.ThrowsAsync<IOException>(() => ConnectAsync(broker, "broker.plant", Nobody));
        Assert.Contains(MqttTls.PinOf(server), wrong.Message, StringComparison.Ordinal);
        var named = await Assert.ThrowsAsync<IOException>(() => ConnectAsync(broker, "else.plant", MqttTls.PinOf(server)));
        Assert.Contains("RemoteCertificateNameMismatch", named.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "mqtts://h", true)]
    [InlineData("sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "mqtt://h", false)]
    [InlineData("sha256/AAAA", "mqtts://h", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "mqtts://h", false)]
    public void What_is_no_pin_is_refused_in_the_configuration(string pin, string address, bool valid)
    {
        var config = new MqttConfig { Endpoint = new Endpoints(address), Subscriptions = [new() { Filter = "a" }], Pins = [pin] };
        Assert.Equal(valid, !config.Validate(new ValidationContext(config)).Any());
    }
}
