using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Sdk;

namespace IotGateway.Connectors.Mqtt;

/// <summary>A connection with a clean session and its receive loop, for publishing. Thread-safe. It ends once and says why.</summary>
sealed class BrokerLink : IAsyncDisposable
{
    readonly BrokerSession _broker;
    readonly CancellationTokenSource _life = new();
    Task _living = Task.CompletedTask;
    Exception? _end;

    BrokerLink(BrokerSession broker, MqttClient client) => (_broker, Client) = (broker, client);

    public MqttClient Client { get; }

    /// <summary>Why it ended; null while it lives.</summary>
    public Exception? End => Volatile.Read(ref _end);

    /// <summary>Completes when the connection has ended.</summary>
    public Task Ended => _living;

    public static async Task<BrokerLink> OpenAsync(BrokerSession broker, IMqttHandler handler, OpenMode mode, CancellationToken ct)
    {
        var link = new BrokerLink(broker, await broker.ConnectAsync(mode, clean: false, ct).ConfigureAwait(false));
        link._living = link.LiveAsync(handler);
        return link;
    }

    async Task LiveAsync(IMqttHandler handler)
    {
        try
        {
            await Client.RunAsync(handler, _life.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Volatile.Write(ref _end, _broker.Explain(e, Client)); // the runner's edge: whoever uses the link is told
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _life.CancelAsync().ConfigureAwait(false);
        await Client.DisposeAsync().ConfigureAwait(false);
        await _living.ConfigureAwait(false);
        _life.Dispose();
    }
}
