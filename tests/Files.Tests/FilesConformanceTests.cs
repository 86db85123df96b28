using System.Globalization;
using IotGateway.Connectors.Files;
using IotGateway.Connectors.Files.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Testing;

namespace Files.Tests;

/// <summary>What every source owes, for the tail.</summary>
public sealed class FilesConformanceTests : SourceConformance<FilesConfig>
{
    protected override Task<SourcePeer<FilesConfig>> StartPeerAsync() => Task.FromResult<SourcePeer<FilesConfig>>(new Writer());

    sealed class Writer : SourcePeer<FilesConfig>
    {
        readonly string _folder = Directory.CreateTempSubdirectory("tail-").FullName;

        public override IConnectorFactory<FilesConfig> Factory { get; } = new FilesFactory();
        public override FilesConfig Config => new() { Path = _folder + "/*.log", Every = TimeSpan.FromMilliseconds(5), Scan = TimeSpan.FromMilliseconds(20) };

        public override Task SendAsync(int from, int count)
        {
            File.AppendAllLines(_folder + "/numbers.log", Enumerable.Range(from, count).Select(i => i.ToString(CultureInfo.InvariantCulture)));
            return Task.CompletedTask;
        }

        public override int? NumberOf(IotGateway.Sdk.Data.Record record) => int.Parse(TailRig.Text(record.Value), CultureInfo.InvariantCulture);

        public override Task RestartAsync()
        {
            File.Move(_folder + "/numbers.log", _folder + "/numbers.log.1");
            return Task.CompletedTask;
        }

        public override ValueTask DisposeAsync()
        {
            Directory.Delete(_folder, recursive: true);
            return default;
        }
    }
}
