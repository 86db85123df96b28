using System.Text.Json.Nodes;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Tasks;
using IotGateway.Host.Rest;
using IotGateway.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Host.Hosting;

/// <summary>Opens one connector as a probe in this process, over an empty log in a temporary folder that is gone afterwards.</summary>
static class ProbeProcess
{
    public static async Task<JsonObject> UseAsync(LoadedConfig loaded, ConnectorConfig connector, ProbeAction action, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("iotgateway-probe-").FullName;
        try
        {
            await using var store = await LogStore.OpenAsync(new LogOptions { Directory = folder, WalBytes = 16 << 20, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, ct).ConfigureAwait(false);
            await using var meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
            await using var worker = new Worker(new WorkerOptions { InstallId = InstallId.Read(folder, NullLogger.Instance) }, new EmbeddedEventLog(store, loaded.Gateway, NullLogger<EmbeddedEventLog>.Instance),
                NullLoggerFactory.Instance, TimeProvider.System, meters.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
            return await worker.UseAsync(connector, (c, context, token) => action(c, connector, context, token), ct).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
