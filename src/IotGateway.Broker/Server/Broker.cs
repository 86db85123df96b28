using System.Buffers.Text;
using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Security.Acls;
using IotGateway.Broker.Security.Sasl;
using IotGateway.Broker.Security.Scram;
using IotGateway.Broker.Transactions;
using IotGateway.Log;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Server;

/// <summary>What all connections share. Thread-safe.</summary>
internal sealed partial class Broker : IDisposable
{
    readonly HashSet<Connection> _connections = [];
    readonly Lock _lock = new();
    bool _full;

    public Broker(BrokerOptions options, LogStore log, UserStore users, GroupCoordinator groups, BrokerMetrics metrics, ILogger logger, TimeProvider time)
    {
        (Options, Store, Groups, Metrics, Logger, Time) = (options, log, groups, metrics, logger, time);
        Budget = new MemoryBudget(options.MemoryBudgetBytes, options.MaxFrameBytes);
        TransportMemory = new TransportMemory();
        FetchMemory = new FetchMemory(options.MemoryBudgetBytes, TransportMemory);
        Throttle = new LogThrottle(time);
        Authenticator = new Authenticator(users, metrics, Throttle, logger, time);
        Authorizer = options.Acls is { } acls ? new(acls, new(log)) : null;
        Topics = new TopicAdmin(this);
        ProducerIds = new ProducerIds(log);
        Transactions = new TransactionCoordinator(options.Transactions, log, groups, ProducerIds, time, logger);
        Apis = Catalogue.Create(this);
        ClusterId = Base64Url.EncodeToString(log.Id.ToByteArray(bigEndian: true));
    }

    public BrokerOptions Options { get; }

    public LogStore Store { get; }

    public GroupCoordinator Groups { get; }

    public BrokerMetrics Metrics { get; }

    public ILogger Logger { get; }

    public TimeProvider Time { get; }

    public MemoryBudget Budget { get; }

    public TransportMemory TransportMemory { get; }

    public FetchMemory FetchMemory { get; }

    public LogThrottle Throttle { get; }

    public Authenticator Authenticator { get; }

    /// <summary>Decides who may do what; null when everyone may do everything.</summary>
    public Authorizer? Authorizer { get; }

    public TopicAdmin Topics { get; }

    public ProducerIds ProducerIds { get; }

    public TransactionCoordinator Transactions { get; }

    public ApiTable Apis { get; }

    /// <summary>The log's identity as Kafka prints uuids.</summary>
    public string ClusterId { get; }

    /// <summary>
    /// Counts a connection in; false when there are too many. The oldest that has not yet shown to be a client makes room for it: connections that
    /// are only held open must not keep clients out.
    /// </summary>
    public bool TryEnter(Connection connection)
    {
        Connection? idle = null;
        lock (_lock)
        {
            if (_connections.Count >= Options.MaxConnections)
            {
                Metrics.Failed("connections");
                if (!_full) Log.Full(Logger, Options.MaxConnections);
                _full = true;
                idle = _connections.Where(c => !c.IsEstablished).MaxBy(c => c.Age);
                if (idle is null) return false;
                _connections.Remove(idle);
            }
            _connections.Add(connection);
        }
        idle?.Abort("It made room for another client.");
        Metrics.Connected(connection.Listener.Name);
        return true;
    }

    public void Leave(Connection connection)
    {
        lock (_lock)
        {
            _connections.Remove(connection);
            _full &= _connections.Count >= Options.MaxConnections * 9 / 10;
        }
        Metrics.Disconnected(connection.Listener.Name);
    }

    /// <summary>Takes note of a refusal: a line a minute and principal.</summary>
    public void Denied(RequestContext context, AccessRule rule, string name)
    {
        if (Throttle.Allows($"denied {context.Principal}", out var withheld)) Log.Denied(Logger, context.Principal.ToString(), context.Connection.Host, rule, name, context.Header.Key, withheld);
    }

    public void Dispose()
    {
        Authenticator.Dispose();
        Authenticator.Users.Dispose();
        Authorizer?.Store.Dispose();
        ProducerIds.Dispose();
        Metrics.Dispose();
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Most} Kafka clients are connected; those that ask for nothing make room, else further ones are turned away. Look for clients that leak connections, or raise 'broker.maxConnections'.")]
        public static partial void Full(ILogger logger, int most);

        [LoggerMessage(LogLevel.Information, "{Principal} at {Host} was refused {Rule} '{Name}' ({Api}; {Withheld} more refusals since the last such line). If that is not meant, add an ACL.")]
        public static partial void Denied(ILogger logger, string principal, string host, AccessRule rule, string name, ApiKey api, int withheld);
    }
}
