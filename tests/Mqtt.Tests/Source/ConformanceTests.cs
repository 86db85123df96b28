using IotGateway.Connectors.Mqtt;
using IotGateway.Testing;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>What every source owes, over MQTT 5 at QoS 1.</summary>
public sealed class Mqtt5ConformanceTests : SourceConformance<MqttConfig>
{
    protected override async Task<SourcePeer<MqttConfig>> StartPeerAsync() => await MosquittoPeer.StartAsync("5.0", 1);
}

/// <summary>What every source owes, over MQTT 3.1.1 at QoS 1.</summary>
public sealed class Mqtt311ConformanceTests : SourceConformance<MqttConfig>
{
    protected override async Task<SourcePeer<MqttConfig>> StartPeerAsync() => await MosquittoPeer.StartAsync("3.1.1", 1);
}

/// <summary>What every source owes, over MQTT 5 at QoS 2.</summary>
public sealed class Qos2ConformanceTests : SourceConformance<MqttConfig>
{
    protected override async Task<SourcePeer<MqttConfig>> StartPeerAsync() => await MosquittoPeer.StartAsync("auto", 2);
}

/// <summary>What every source owes, over MQTT 3.1 at QoS 1, which does not say whether a session was kept.</summary>
public sealed class Mqtt31ConformanceTests : SourceConformance<MqttConfig>
{
    protected override async Task<SourcePeer<MqttConfig>> StartPeerAsync() => await MosquittoPeer.StartAsync("3.1", 1);
}
