namespace IotGateway.Broker.Server;

/// <summary>
/// Settings of the broker and of groups that clients may change. They speak of threads, replicas and libraries this broker does not have, so they are kept
/// and told, and change nothing; what does something here is in gateway.json and read-only.
/// </summary>
internal static class BrokerSettings
{
    const string Never = "9223372036854775807", Unlimited = "2147483647";

    /// <summary>Of the broker; Kafka 4.3's names and defaults.</summary>
    public static IReadOnlyList<Setting> All { get; } =
    [
        new("background.threads", SettingType.Int, "10", Treatment.Stored) { Least = 1 },
        new("follower.replication.throttled.rate", SettingType.Long, Never, Treatment.Stored) { Least = 0 },
        new("leader.replication.throttled.rate", SettingType.Long, Never, Treatment.Stored) { Least = 0 },
        new("log.cleaner.backoff.ms", SettingType.Long, "15000", Treatment.Stored) { Least = 0 },
        new("log.cleaner.dedupe.buffer.size", SettingType.Long, "134217728", Treatment.Stored) { Least = 1 },
        new("log.cleaner.io.buffer.load.factor", SettingType.Double, "0.9", Treatment.Stored),
        new("log.cleaner.io.buffer.size", SettingType.Int, "524288", Treatment.Stored) { Least = 0 },
        new("log.cleaner.threads", SettingType.Int, "1", Treatment.Stored) { Least = 0 },
        new("log.cleanup.policy", SettingType.List, "delete", Treatment.Stored) { Choices = ["delete", "compact"] },
        new("log.flush.interval.messages", SettingType.Long, Never, Treatment.Stored) { Least = 1 },
        new("log.index.interval.bytes", SettingType.Int, "4096", Treatment.Stored) { Least = 0 },
        new("log.index.size.max.bytes", SettingType.Int, "10485760", Treatment.Stored) { Least = 4 },
        new("log.preallocate", SettingType.Boolean, "false", Treatment.Stored),
        new("max.connection.creation.rate", SettingType.Int, Unlimited, Treatment.Stored) { Least = 0 },
        new("max.connections.per.ip", SettingType.Int, Unlimited, Treatment.Stored) { Least = 0 },
        new("max.connections.per.ip.overrides", SettingType.String, "", Treatment.Stored),
        new("metric.reporters", SettingType.List, "", Treatment.Stored),
        new("num.io.threads", SettingType.Int, "8", Treatment.Stored) { Least = 1 },
        new("num.network.threads", SettingType.Int, "3", Treatment.Stored) { Least = 1 },
        new("num.recovery.threads.per.data.dir", SettingType.Int, "2", Treatment.Stored) { Least = 1 },
        new("num.replica.fetchers", SettingType.Int, "1", Treatment.Stored) { Least = 1 },
        new("producer.id.expiration.ms", SettingType.Int, "86400000", Treatment.Stored) { Least = 1 },
        new("sasl.kerberos.kinit.cmd", SettingType.String, "/usr/bin/kinit", Treatment.Stored),
        new("sasl.kerberos.min.time.before.relogin", SettingType.Long, "60000", Treatment.Stored) { Least = 0 },
        new("sasl.kerberos.ticket.renew.jitter", SettingType.Double, "0.05", Treatment.Stored),
        new("sasl.kerberos.ticket.renew.window.factor", SettingType.Double, "0.8", Treatment.Stored),
        new("transaction.partition.verification.enable", SettingType.Boolean, "true", Treatment.Stored),
    ];

    /// <summary>Of a group (KIP-848).</summary>
    public static IReadOnlyList<Setting> OfGroups { get; } =
    [
        new("consumer.heartbeat.interval.ms", SettingType.Int, "5000", Treatment.Stored) { Least = 1 },
        new("consumer.session.timeout.ms", SettingType.Int, "45000", Treatment.Stored) { Least = 1 },
    ];
}
