using System.Net.Sockets;
using IotGateway.Connectors.Simulator;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Testing;

namespace Simulator.Tests;

/// <summary>The simulator's own reading counts the requests it served: item n is the request that makes it n + 1.</summary>
public sealed class SimulatorConformanceTests : SourceConformance<SimulatorConfig>
{
    protected override Task<SourcePeer<SimulatorConfig>> StartPeerAsync() => Task.FromResult<SourcePeer<SimulatorConfig>>(new Client());

    sealed class Client : SourcePeer<SimulatorConfig>
    {
        readonly int _port = Ports.Free();

        public override IConnectorFactory<SimulatorConfig> Factory { get; } = new SimulatorFactory();
        public override SimulatorConfig Config => new() { Listen = $"127.0.0.1:{_port}", Heartbeat = TimeSpan.FromMilliseconds(100) };
        public override bool Lossless => false;
        public override bool Resumes => false;
        public override bool CanRestart => false;

        public override async Task SendAsync(int from, int count)
        {
            using var client = new TcpClient("127.0.0.1", _port);
            var reply = new byte[11];
            for (var i = 0; i < count; i++)
            {
                await client.GetStream().WriteAsync(new byte[] { 0, (byte)i, 0, 0, 0, 6, 1, 3, 0, 200, 0, 1 });
                await client.GetStream().ReadExactlyAsync(reply);
            }
        }

        public override int? NumberOf(Reading reading) => (int)reading.Value.AsInt64 - 1 is var number and >= 0 ? number : null;

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
