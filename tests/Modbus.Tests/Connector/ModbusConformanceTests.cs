using IotGateway.Connectors.Modbus;
using IotGateway.Connectors.Modbus.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using Modbus.Tests.Support;

namespace Modbus.Tests.Connector;

/// <summary>A device that counts: item n is register 1 holding n. Sampled, so values between two polls are never seen.</summary>
public sealed class ModbusConformanceTests : SourceConformance<ModbusConfig>
{
    protected override Task<SourcePeer<ModbusConfig>> StartPeerAsync() => Task.FromResult<SourcePeer<ModbusConfig>>(new Peer());

    sealed class Peer : SourcePeer<ModbusConfig>
    {
        readonly ScriptedServer _server = new();

        // Register 1 is 0 until something is sent; that is no item.
        public Peer() => _server.Written[(1, 1)] = ushort.MaxValue;

        public override IConnectorFactory<ModbusConfig> Factory { get; } = new ModbusFactory();
        public override ModbusConfig Config => new()
        {
            Endpoint = new(_server.Endpoint),
            Every = TimeSpan.FromMilliseconds(10),
            Devices = [new() { Name = "counter", Tags = [new() { Name = "n", Address = "holding:1", Deadband = 0 }] }],
        };
        public override bool Lossless => false;
        public override bool Resumes => false;

        public override Task SendAsync(int from, int count)
        {
            for (var i = 0; i < count; i++) _server.Written[(1, 1)] = (ushort)(from + i);
            return Task.CompletedTask;
        }

        public override int? NumberOf(Reading reading) => reading.Quality == Quality.Good && reading.Value.AsInt64 != ushort.MaxValue ? (int)reading.Value.AsInt64 : null;

        public override async Task RestartAsync()
        {
            await _server.StopAsync();
            _server.Restart();
        }

        public override ValueTask DisposeAsync() => _server.DisposeAsync();
    }
}
