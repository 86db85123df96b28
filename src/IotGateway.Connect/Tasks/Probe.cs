using IotGateway.Connect.Configs;
using IotGateway.Connect.Health;
using IotGateway.Sdk;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Tasks;

/// <summary>An instance opened for one look by hand (test, read, browse): own identity, no durable trace, closed after. Bounded like any other.</summary>
static class Probe
{
    public static async Task<T> UseAsync<T>(Shared shared, ConnectorConfig config, Func<IConnector, ConnectorContext, CancellationToken, ValueTask<T>> use, CancellationToken ct)
    {
        var board = new PartBoard(shared.Time, static _ => { }, static _ => false);
        var owner = new TagOwner(config.Name, config.Common.Limits.Tags, new(config.Common.Topic ?? config.Name, shared.Gateway, config.Common.MaxTopics), board);
        var context = new RuntimeContext(shared, owner, shared.Loggers.CreateLogger("IotGateway.Connectors." + config.Name), probe: true, static _ => { });
        // One part is enough to see whether the peer answers.
        var connector = config.Plugin.Create(config.Plugin.Split(config.Config, 1)[0].Config, context);
        try
        {
            await Bounded.RunAsync("Connecting", token => connector.OpenAsync(OpenMode.Probe, token), config.Common.OpenTimeout,
                shared.Options.CloseTimeout, shared.Time, ct).ConfigureAwait(false);
            return await use(connector, context, ct).ConfigureAwait(false);
        }
        finally
        {
            context.End();
            await CloseAsync(shared, connector).ConfigureAwait(false);
        }
    }

    static async Task CloseAsync(Shared shared, IConnector connector)
    {
        var limit = shared.Options.CloseTimeout;
        var close = Bounded.RunAsync("CloseAsync", token => connector.CloseAsync(CloseReason.Stop, token), limit, limit, shared.Time, CancellationToken.None);
        await close.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Bounded.RunAsync("DisposeAsync", _ => connector.DisposeAsync(), limit, limit, shared.Time, CancellationToken.None)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
