using System.Net;
using IotGateway.Broker.Transactions;
using IotGateway.Log;

namespace IotGateway.Broker;

/// <summary>How the broker serves the log.</summary>
public sealed record BrokerOptions
{
    /// <summary>Where it listens.</summary>
    public IReadOnlyList<BrokerListener> Listeners { get; init; } = [new() { Endpoint = new(IPAddress.Loopback, 9092) }];

    /// <summary>Broker id told to clients.</summary>
    public int NodeId { get; init; } = 1;

    /// <summary>Whether asking for a topic that is not there makes it, when the client wants that too (<c>auto.create.topics.enable</c>).</summary>
    public bool AutoCreateTopics { get; init; } = true;

    /// <summary>Partitions of a topic made without a number (<c>num.partitions</c>), where <see cref="NewTopics"/> does not say.</summary>
    public int DefaultPartitions { get; init; } = 1;

    /// <summary>
    /// How a topic of a name is made, as far as the client does not say: its partitions (1 or more) and its settings, each of which the log takes. Null: with <see cref="DefaultPartitions"/>
    /// and the log's defaults. Called by any thread, for any text a client asks for; must be quick and not throw.
    /// </summary>
    public Func<string, (int Partitions, TopicConfig Config)>? NewTopics { get; init; }

    /// <summary>Most partitions one topic may have.</summary>
    public int MaxPartitionsPerTopic { get; init; } = 10_000;

    /// <summary>Largest request accepted, bytes (<c>socket.request.max.bytes</c>).</summary>
    public int MaxFrameBytes { get; init; } = 100 << 20;

    /// <summary>Bytes all requests being read or worked on may take together; a frame waits unread until there is room.</summary>
    public long MemoryBudgetBytes { get; init; } = 256L << 20;

    /// <summary>Most bytes answered to one fetch (<c>fetch.max.bytes</c>).</summary>
    public int MaxFetchBytes { get; init; } = 55 << 20;

    /// <summary>Most connections at a time; further ones are closed.</summary>
    public int MaxConnections { get; init; } = 2_000;

    /// <summary>A connection without any request for so long is closed (<c>connections.max.idle.ms</c>).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A connection that stops in the middle of a request for so long is closed.</summary>
    public TimeSpan FrameTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The log's directory, as told by DescribeLogDirs; null when it is not to be told.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Users the configuration brings along; others are made over the protocol.</summary>
    public IReadOnlyList<BrokerUser> Users { get; init; } = [];

    /// <summary>Wait before a failed authentication is answered (<c>connection.failed.authentication.delay.ms</c>).</summary>
    public TimeSpan FailedAuthenticationDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Who may do what; null: everyone may do everything, and the ACL APIs say SECURITY_DISABLED.</summary>
    public AclOptions? Acls { get; init; }

    internal TransactionOptions Transactions { get; init; } = new();

    /// <summary>Which topics clients may not write, make or delete.</summary>
    public ITopicGuard Guard { get; init; } = new InternalTopics();
}
