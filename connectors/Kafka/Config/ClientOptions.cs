using System.Collections.Frozen;

namespace IotGateway.Connectors.Kafka.Config;

/// <summary>
/// Which settings of the client library may be given by hand. A list of what is allowed, not of what is forbidden: the library has settings
/// that load code (<c>plugin.library.paths</c>, <c>ssl.engine.location</c>, <c>ssl.providers</c>), run commands
/// (<c>sasl.kerberos.kinit.cmd</c>), read files or fetch addresses (<c>sasl.oauthbearer.token.endpoint.url</c>), and ones on which the sink's
/// promises rest (<c>acks</c>, <c>enable.idempotence</c>, <c>message.timeout.ms</c>).
/// </summary>
static class ClientOptions
{
    public static readonly FrozenSet<string> Allowed = new[]
    {
        "batch.num.messages", "batch.size", "broker.address.family", "broker.address.ttl", "client.dns.lookup", "client.rack",
        "compression.level", "connections.max.idle.ms", "linger.ms", "metadata.max.age.ms", "queue.buffering.max.kbytes",
        "queue.buffering.max.messages", "reconnect.backoff.max.ms", "reconnect.backoff.ms", "request.timeout.ms", "retry.backoff.max.ms",
        "retry.backoff.ms", "socket.connection.setup.timeout.ms", "socket.keepalive.enable", "socket.nagle.disable",
        "socket.receive.buffer.bytes", "socket.send.buffer.bytes", "socket.timeout.ms", "ssl.cipher.suites", "ssl.curves.list",
        "ssl.sigalgs.list", "sticky.partitioning.linger.ms", "topic.metadata.refresh.interval.ms",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>What is wrong with a setting, or null.</summary>
    public static string? Problem(string name)
        => Allowed.Contains(name) ? null : $"'{name}' is not among the client settings that may be set by hand: {string.Join(", ", Allowed.Order(StringComparer.Ordinal))}.";
}
