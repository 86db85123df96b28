using System.Diagnostics;
using IotGateway.Connectors.Sparkplug;
using IotGateway.Connectors.Sparkplug.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;
using IotGateway.Tests.Sparkplug.Support;

namespace IotGateway.Tests.Sparkplug.Host;

/// <summary>What every source owes, with an edge node behind mosquitto.</summary>
public sealed class ConformanceTests : SourceConformance<SparkplugConfig>
{
    protected override async Task<SourcePeer<SparkplugConfig>> StartPeerAsync()
    {
        if (!File.Exists("/usr/bin/mosquitto_passwd")) Assert.Skip("mosquitto is not installed.");
        return new Peer(await Mosquitto.StartAsync(Passwords, "password_file $FOLDER/passwords"));
    }

    static void Passwords(string folder)
    {
        using var tool = Process.Start("/usr/bin/mosquitto_passwd", ["-b", "-c", Path.Combine(folder, "passwords"), "gw", "right"]);
        tool.WaitForExit();
    }

    sealed class Peer(Mosquitto broker) : SourcePeer<SparkplugConfig>
    {
        ScriptedEdge? _edge;
        ulong _session;

        public override IConnectorFactory<SparkplugConfig> Factory { get; } = new SparkplugFactory();

        public override SparkplugConfig Config => new() { Endpoint = new Endpoints(broker.Address), ClientId = "gw", Username = "gw", Password = "right", HostId = "host" };

        public override SparkplugConfig WrongCredentials => Config with { Password = "wrong" };

        public override bool Resumes => false; // births and data are of QoS 0, and the session is clean

        public override async Task SendAsync(int from, int count)
        {
            if (_edge is null)
            {
                _edge = await ScriptedEdge.ConnectAsync(broker.Address, bdSeq: ++_session, login: ("gw", "right"));
                await _edge.BirthAsync(_session, Metrics.Int("n", -1, alias: 1));
            }
            for (var i = 0; i < count; i++) await _edge.SendAsync("NDATA", null, Metrics.Alias(1, from + i));
        }

        public override int? NumberOf(Reading reading) => reading.Value.Type == DataType.Int32 && reading.Value.AsInt64 >= 0 ? (int)reading.Value.AsInt64 : null;

        public override async Task RestartAsync()
        {
            await _edge!.DisposeAsync();
            _edge = null;
            await broker.StopAsync();
            await broker.StartProcessAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            if (_edge is not null) await _edge.DisposeAsync();
            await broker.DisposeAsync();
        }
    }
}
