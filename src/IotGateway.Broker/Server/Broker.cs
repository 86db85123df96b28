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
    AclStore? _acls;
    bool _full;

    public Broker(BrokerOptions options, LogStore log, UserStore users, GroupCoordinator groups, BrokerMetrics metrics, ILogger logger, TimeProvider time)
    {
        (Options, Store, Groups, Metrics, Logger, Time) = (options, log, groups, metrics, logger, time);
        Budget = new MemoryBudget(options.MemoryBudgetBytes, options.MaxFrameBytes);
        Contents = new MemoryBudget(Math.Max(options.MemoryBudgetBytes, KafkaReader.MostCharged), KafkaReader.MostCharged);
        TransportMemory = new TransportMemory();
        FetchMemory = new FetchMemory(options.MemoryBudgetBytes, TransportMemory);
        Throttle = new LogThrottle(time);
        Authenticator = new Authenticator(users, metrics, Throttle, logger, time);
        if (options.Acls is { } acls) Authorizer = new(acls, _acls = new(log));
        Topics = new TopicAdmin(this);
        ProducerIds = new ProducerIds(log);
        Transactions = new TransactionCoordinator(options.Transactions, log, groups, ProducerIds, time, logger);
        Apis = Catalogue.Create(this);
        ClusterId = Base64Url.EncodeToString(log.Id.ToByteArray(bigEndian: true));
    }

    /// <summary>As the start had them, but for what <see cref="Reconfigure"/> takes.</summary>
    public BrokerOptions Options { get; private set => Volatile.Write(ref field, value); }

    public LogStore Store { get; }

    /// <summary>What is kept is dated by this.</summary>
    public LogClock Clock => Store.Clock;

    public GroupCoordinator Groups { get; }

    public BrokerMetrics Metrics { get; }

    public ILogger Logger { get; }

    public TimeProvider Time { get; }

    /// <summary>For frames.</summary>
    public MemoryBudget Budget { get; }

    /// <summary>For what is read out of frames.</summary>
    public MemoryBudget Contents { get; }

    public TransportMemory TransportMemory { get; }

    public FetchMemory FetchMemory { get; }

    public LogThrottle Throttle { get; }

    public Authenticator Authenticator { get; }

    /// <summary>Decides who may do what; null when everyone may do everything.</summary>
    public Authorizer? Authorizer { get; private set => Volatile.Write(ref field, value); }

    public TopicAdmin Topics { get; }

    /// <summary>Connections of one host.</summary>
    public HostLimits Hosts { get; } = new();

    public ProducerIds ProducerIds { get; }

    public TransactionCoordinator Transactions { get; }

    public ApiTable Apis { get; }

    /// <summary>The log's identity as Kafka prints uuids.</summary>
    public string ClusterId { get; }

    /// <summary>Goes by these from the next request on: ACLs, how topics are made, the most connections. Called by one at a time.</summary>
    public void Reconfigure(BrokerOptions next)
    {
        Options = Options with { AutoCreateTopics = next.AutoCreateTopics, DefaultPartitions = next.DefaultPartitions, NewTopics = next.NewTopics, MaxConnections = next.MaxConnections };
        if ((next.Acls is null) != (Authorizer is null)) Log.Acls(Logger, next.Acls is null ? "off: everyone who can connect may do everything" : "on");
        // The store stays when ACLs are switched off: who still holds it may be changing them.
        if (next.Acls is null) Authorizer = null;
        else if (Authorizer is { } there) there.Reconfigure(next.Acls);
        else Authorizer = new(next.Acls, _acls ??= new(Store));
    }

    /// <summary>
    /// Counts a connection in; false when there are too many. The oldest that has not yet shown to be a client makes room for it: connections that
    /// are only held open must not keep clients out.
    /// </summary>
    public bool TryEnter(Connection connection)
    {
        if (!Hosts.TryEnter(connection.Address, out var most))
        {
            Metrics.Failed("connections");
            if (Throttle.Allows($"crowd {connection.Host}", out var withheld)) Log.Crowd(Logger, connection.Host, most, HostLimits.Limit, withheld);
            return false;
        }
        if (Admit(connection)) return true;
        Hosts.Leave(connection.Address);
        return false;
    }

    bool Admit(Connection connection)
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
        Hosts.Leave(connection.Address);
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
        _acls?.Dispose();
        ProducerIds.Dispose();
        Metrics.Dispose();
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Most} Kafka clients are connected; those that ask for nothing make room, else further ones are turned away. Look for clients that leak connections, or raise 'broker.maxConnections'.")]
        public static partial void Full(ILogger logger, int most);

        [LoggerMessage(LogLevel.Warning, "{Host} has {Most} connections, as many as {Setting} lets it have: a further one was closed ({Withheld} more since the last such line).")]
        public static partial void Crowd(ILogger logger, string host, int most, string setting, int withheld);

        [LoggerMessage(LogLevel.Warning, "ACLs are now {State}, as gateway.json says.")]
        public static partial void Acls(ILogger logger, string state);

        [LoggerMessage(LogLevel.Information, "{Principal} at {Host} was refused {Rule} '{Name}' ({Api}; {Withheld} more refusals since the last such line). If that is not meant, add an ACL.")]
        public static partial void Denied(ILogger logger, string principal, string host, AccessRule rule, string name, ApiKey api, int withheld);
    }
}
