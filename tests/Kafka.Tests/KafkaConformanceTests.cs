using System.Globalization;
using IotGateway.Connectors.Kafka;
using IotGateway.Connectors.Kafka.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;

namespace Kafka.Tests;

/// <summary>What every sink owes, against a real Apache Kafka.</summary>
public sealed class KafkaConformanceTests(KafkaCluster cluster) : SinkConformance<KafkaConfig>, IClassFixture<KafkaCluster>
{
    protected override Task<SinkPeer<KafkaConfig>> StartPeerAsync() => Task.FromResult<SinkPeer<KafkaConfig>>(new Peer(cluster));

    sealed class Peer(KafkaCluster cluster) : SinkPeer<KafkaConfig>
    {
        readonly string _prefix = "c-" + Guid.NewGuid().ToString("N")[..8];
        bool _away;

        public override IConnectorFactory<KafkaConfig> Factory { get; } = new KafkaFactory();

        public override KafkaConfig Config => new()
        {
            Endpoint = new Endpoints(cluster.Bootstrap),
            Target = _prefix + ".${topic}",
            Timeout = TimeSpan.FromSeconds(3),
            Compression = Compression.None,
        };

        public override SinkRecord Undeliverable => new() { Topic = "conformance", Partition = 0, Offset = 0, Timestamp = 0, Value = new byte[3_000_000] };

        public override Task<IReadOnlyList<int>> ArrivedAsync() => Task.Run<IReadOnlyList<int>>(() =>
            [.. cluster.ReadToEnd(_prefix + ".conformance").Select(r => int.Parse(SinkRig.Text(r.Message.Value), CultureInfo.InvariantCulture))]);

        public override async Task AwayAsync()
        {
            await cluster.KillAsync();
            _away = true;
        }

        public override async Task BackAsync()
        {
            await cluster.ReviveAsync();
            _away = false;
        }

        public override async ValueTask DisposeAsync()
        {
            if (_away) await cluster.ReviveAsync(); // the next test has the same cluster
        }
    }
}
