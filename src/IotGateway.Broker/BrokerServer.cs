using System.Diagnostics.Metrics;
using System.Net;
using IotGateway.Broker.Groups;
using IotGateway.Broker.Groups.Storage;
using IotGateway.Broker.Security.OAuth;
using IotGateway.Broker.Security.Sasl;
using IotGateway.Broker.Security.Scram;
using IotGateway.Broker.Security.Tls;
using IotGateway.Broker.Server;
using IotGateway.Log;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IotGateway.Broker;

/// <summary>
/// The Kafka protocol in front of a log: from <see cref="StartAsync"/> until it is disposed, Kafka clients can connect. Does not own
/// the log, which must outlive it. Thread-safe.
/// </summary>
public sealed class BrokerServer : IAsyncDisposable
{
    static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);
    // Consumers that one program starts at once belong into one generation; a whole fleet's 3 s (Kafka's default) would only make a single one wait.
    static readonly TimeSpan JoinTogether = TimeSpan.FromMilliseconds(50);
    readonly KestrelServer _kestrel;
    readonly List<Listener> _listeners;
    readonly GroupCoordinator _groups;
    readonly Server.Broker _broker;
    readonly ServiceProvider _services;
    readonly TimeProvider _time;

    BrokerServer(KestrelServer kestrel, List<Listener> listeners, GroupCoordinator groups, Server.Broker broker, ServiceProvider services, TimeProvider time)
        => (_kestrel, _listeners, _groups, _broker, _services, _time) = (kestrel, listeners, groups, broker, services, time);

    internal Server.Broker Broker => _broker;

    /// <summary>Where each listener of the options listens, in their order, with the port it got.</summary>
    public IReadOnlyList<IPEndPoint> Endpoints => [.. _listeners.Select(l => l.Bound!)];

    /// <summary>The first listener's address as clients are told it, <c>host:port</c>.</summary>
    public string Bootstrap => $"{_listeners[0].Advertised.Host}:{_listeners[0].Advertised.Port}";

    /// <summary>Loads the consumer groups and transactions and listens.</summary>
    /// <exception cref="ListenerInUseException">A port is taken.</exception>
    /// <exception cref="JwksException">A file of keys cannot be used.</exception>
    /// <exception cref="TlsFilesException">A certificate cannot be used.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message says how.</exception>
    public static async Task<BrokerServer> StartAsync(BrokerOptions options, LogStore log, ILoggerFactory loggers, TimeProvider time,
        IMeterFactory? meters, CancellationToken ct)
    {
        Check(options);
        var endpoints = options.Listeners.Select(l => l.Tls is { } tls ? new TlsEndpoint(l.Name, tls, loggers.CreateLogger<BrokerServer>(), time) : null).ToList();
        var tokens = options.Listeners.Select(l => l.Sasl?.OAuth is { } oauth ? Tokens(oauth, loggers.CreateLogger<BrokerServer>(), time) : null).ToList();
        var metrics = new BrokerMetrics(meters);
        var users = await UserStore.OpenAsync(log, ct);
        await users.ConfigureAsync(options.Users, ct);
        var topics = new LogGroupTopics(log);
        var store = new LogGroupStore(log);
        var groups = GroupCoordinator.Open(new() { InitialRebalanceDelay = JoinTogether }, store, topics, log.Clock, time, loggers.CreateLogger<GroupCoordinator>());
        metrics.GroupLag(() => GroupLag.Measure(log));
        var broker = new Server.Broker(options, log, users, groups, metrics, loggers.CreateLogger<BrokerServer>(), time);
        var listeners = options.Listeners.Zip(endpoints, tokens).Select(l => new Listener(l.First, l.Second, l.Third, broker)).ToList();
        if (endpoints.Exists(e => e is not null))
            metrics.Certificates(() => listeners.Where(l => l.Tls is not null).Select(l => new Measurement<long>((long)l.Tls!.Remaining.TotalSeconds, new KeyValuePair<string, object?>("listener", l.Name))));
        var collection = new ServiceCollection().AddSingleton(loggers).AddLogging();
        Transport.AddTo(collection, broker.TransportMemory);
        var services = collection.BuildServiceProvider();
        var bound = new List<ListenOptions>();
        var kestrelOptions = new KestrelServerOptions { ApplicationServices = services };
        foreach (var listener in listeners)
        {
            kestrelOptions.Listen(listener.Options.Endpoint, listen =>
            {
                listen.Run(listener.OnConnectedAsync);
                bound.Add(listen);
            });
        }
        var kestrel = new KestrelServer(Options.Create(kestrelOptions), services.GetRequiredService<IConnectionListenerFactory>(), loggers);
        await broker.Transactions.StartAsync(ct);
        var server = new BrokerServer(kestrel, listeners, groups, broker, services, time);
        try
        {
            await kestrel.StartAsync(new NoHttp(), ct);
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            await server.DisposeAsync();
            // Kestrel's message names the address it could not bind.
            var listener = options.Listeners.FirstOrDefault(l => taken.Message.Contains(l.Endpoint.ToString(), StringComparison.Ordinal)) ?? options.Listeners[0];
            throw new ListenerInUseException(listener, taken);
        }
        for (var i = 0; i < listeners.Count; i++) listeners[i].Bound = bound[i].IPEndPoint;
        return server;
    }

    /// <summary>
    /// Puts users, ACLs (whether they are on, and what they are decided by), how topics are made, and the most connections in force as the options say now; all
    /// else of them stays as it was at the start. Who is in stays in until the session ends, but may do only what he now may.
    /// </summary>
    public async ValueTask ReconfigureAsync(BrokerOptions options, CancellationToken ct)
    {
        await _broker.Authenticator.Users.ConfigureAsync(options.Users, ct);
        _broker.Reconfigure(options);
    }

    /// <summary>Closes all connections, then the coordinator. Requests taken are finished.</summary>
    public async ValueTask DisposeAsync()
    {
        using var timeout = new CancellationTokenSource(StopTimeout, _time);
        await _groups.DisposeAsync(); // first: members that wait in a join would hold their connections open
        await _kestrel.StopAsync(timeout.Token);
        _kestrel.Dispose();
        foreach (var listener in _listeners)
        {
            listener.Tls?.Dispose();
            listener.Tokens?.Dispose();
        }
        await _broker.Transactions.DisposeAsync();
        _broker.Dispose();
        await _services.DisposeAsync();
    }

    static void Check(BrokerOptions options)
    {
        if (options.Listeners.Count == 0) throw new ArgumentException("The broker needs a listener: set 'broker.listen'.", nameof(options));
        foreach (var listener in options.Listeners)
        {
            var address = listener.Endpoint.Address;
            if (listener.AdvertisedHost is null && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)))
                throw new ArgumentException($"Listener '{listener.Name}' listens on all addresses: set 'advertised' to the name clients reach it by.", nameof(options));
            if (listener.Sasl is { OAuth: null } sasl && sasl.Mechanisms.Contains(OAuthBearerExchange.Name))
                throw new ArgumentException($"Listener '{listener.Name}' offers {OAuthBearerExchange.Name} without saying which tokens are good.", nameof(options));
            if (listener.Sasl?.Mechanisms.Except(Authenticator.Mechanisms).FirstOrDefault() is { } unknown)
                throw new ArgumentException($"Listener '{listener.Name}': there is no SASL mechanism '{unknown}'; there are {string.Join(", ", Authenticator.Mechanisms)}.", nameof(options));
        }
    }

    static JwtVerifier Tokens(OAuthOptions options, ILogger logger, TimeProvider time) => new(options,
        options.Jwks.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? new HttpsKeys(new(options.Jwks), options.Authorities, logger, time) : new FileKeys(options.Jwks, logger, time), time);

    /// <summary>Kestrel wants an HTTP application; none of the listeners leads to it.</summary>
    sealed class NoHttp : IHttpApplication<object>
    {
        public object CreateContext(IFeatureCollection contextFeatures) => this;

        public Task ProcessRequestAsync(object context) => Task.CompletedTask;

        public void DisposeContext(object context, Exception? exception)
        {
        }
    }
}
