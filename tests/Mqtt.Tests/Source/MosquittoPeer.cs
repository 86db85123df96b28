using System.Diagnostics;
using System.Globalization;
using System.Text;
using IotGateway.Connectors.Mqtt;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;
using Record = IotGateway.Sdk.Data.Record;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>mosquitto as the other side of the conformance tests.</summary>
sealed class MosquittoPeer(Mosquitto broker, string version, int qos) : SourcePeer<MqttConfig>
{
    readonly string _clientId = "gw-" + Guid.NewGuid().ToString("N");

    public static async Task<MosquittoPeer> StartAsync(string version, int qos)
    {
        if (!File.Exists("/usr/bin/mosquitto_passwd")) Assert.Skip("mosquitto is not installed.");
        return new(await Mosquitto.StartAsync(Passwords, "password_file $FOLDER/passwords"), version, qos);
    }

    /// <summary>Writes the password file: user gw, password right.</summary>
    public static void Passwords(string folder)
    {
        using var tool = Process.Start("/usr/bin/mosquitto_passwd", ["-b", "-c", Path.Combine(folder, "passwords"), "gw", "right"]);
        tool.WaitForExit();
    }

    public override IConnectorFactory<MqttConfig> Factory { get; } = new MqttFactory();

    public override MqttConfig Config => new()
    {
        Endpoint = new Endpoints(broker.Address), Version = version, ClientId = _clientId, Username = "gw", Password = "right",
        Subscriptions = [new() { Filter = "plant/#", Qos = qos }],
    };

    public override MqttConfig WrongCredentials => Config with { Password = "wrong" };

    public override Func<Task<int>>? Confirmed => () => Task.FromResult(Count(broker.Log(), $"Received {(qos == 1 ? "PUBACK" : "PUBREC")} from {_clientId}"));

    public override Task SendAsync(int from, int count)
        => broker.PublishAsync("plant/line1/n", Enumerable.Range(from, count).Select(n => n.ToString(CultureInfo.InvariantCulture)), qos, "-u", "gw", "-P", "right");

    public override int? NumberOf(Record record) => int.Parse(Encoding.UTF8.GetString(record.Value!.Value.Span), CultureInfo.InvariantCulture);

    public override async Task RestartAsync()
    {
        await broker.StopAsync();
        await broker.StartProcessAsync();
    }

    public override ValueTask DisposeAsync() => broker.DisposeAsync();

    static int Count(string text, string what) => text.Split(what).Length - 1;
}
