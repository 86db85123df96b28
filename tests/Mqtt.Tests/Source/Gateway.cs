using System.Text;
using IotGateway.Connectors.Mqtt;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Testing;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>The connector under test with what survives its instances.</summary>
sealed class Gateway(string address)
{
    readonly MqttFactory _factory = new();

    public DurableStore Store { get; } = new();

    public string Name { get; init; } = "test";

    public MqttConfig Config { get; set; } = new() { Endpoint = new Endpoints(address), ClientId = "gw", Version = "5.0", Subscriptions = [new() { Filter = "#", Qos = 2 }] };

    /// <summary>The context of the newest instance.</summary>
    public FakeContext Context { get; private set; } = null!;

    public MqttSource Create()
    {
        Context = new FakeContext(Store, Name);
        return (MqttSource)_factory.Create(Config, Context);
    }

    /// <summary>A new instance, not yet opened; opening needs the broker's answers.</summary>
    public SourceDriver Driver(Func<SourceBatch, Task>? gate = null)
    {
        var driver = new SourceDriver(Create(), Store);
        if (gate is not null) driver.Gate = gate;
        return driver;
    }

    public string[] Payloads => [.. Store.Records.Select(r => Encoding.UTF8.GetString(r.Value!.Value.Span))];

    public static string Text(ReadOnlyMemory<byte>? bytes) => Encoding.UTF8.GetString(bytes!.Value.Span);
}
