using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Server;

/// <summary>
/// Settings of the broker and of groups that clients may change. Most of the broker's speak of threads, replicas and libraries this one does not have, so
/// they are kept and told, and change nothing, each for the reason beside it; most of what does something here is in gateway.json and read-only.
/// </summary>
internal static class BrokerSettings
{
    const string Never = "9223372036854775807", Unlimited = "2147483647";

    /// <summary>Of the broker; Kafka 4.3's names and defaults.</summary>
    public static IReadOnlyList<Setting> All { get; } =
    [
        new("background.threads", SettingType.Int, "10", Treatment.Stored) { Least = 1, Why = "one pool of threads for all work, as large as the machine" },
        new("follower.replication.throttled.rate", SettingType.Long, Never, Treatment.Stored) { Least = 0, Why = "one replica" },
        new("leader.replication.throttled.rate", SettingType.Long, Never, Treatment.Stored) { Least = 0, Why = "one replica" },
        new("log.cleaner.backoff.ms", SettingType.Long, "15000", Treatment.Stored) { Least = 0, Why = "`log.compactEvery` in `gateway.json`" },
        new("log.cleaner.dedupe.buffer.size", SettingType.Long, "134217728", Treatment.Stored) { Least = 1, Why = "compaction takes what memory its keys need, in pieces" },
        new("log.cleaner.io.buffer.load.factor", SettingType.Double, "0.9", Treatment.Stored) { Why = "as `log.cleaner.dedupe.buffer.size`" },
        new("log.cleaner.io.buffer.size", SettingType.Int, "524288", Treatment.Stored) { Least = 0, Why = "as `log.cleaner.dedupe.buffer.size`" },
        new("log.cleaner.threads", SettingType.Int, "1", Treatment.Stored) { Least = 0, Why = "one partition after the other" },
        new("log.cleanup.policy", SettingType.List, "delete", Treatment.Stored) { Choices = ["delete", "compact"], Why = "a default for topics: their own setting, or a rule of `topics` in `gateway.json`, counts" },
        new("log.flush.interval.messages", SettingType.Long, Never, Treatment.Stored) { Least = 1, Why = "exceeded: nothing is acknowledged before it is on disk; `log.durability` in `gateway.json` decides otherwise" },
        new("log.index.interval.bytes", SettingType.Int, "4096", Treatment.Stored) { Least = 0, Why = "a default for topics: their own setting, or a rule of `topics` in `gateway.json`, counts" },
        new("log.index.size.max.bytes", SettingType.Int, "10485760", Treatment.Stored) { Least = 4, Why = "indexes need no bound but `segment.bytes`" },
        new("log.preallocate", SettingType.Boolean, "false", Treatment.Stored) { Why = "space is taken ahead by the write-ahead log" },
        new("max.connection.creation.rate", SettingType.Int, Unlimited, Treatment.Stored) { Least = 0, Why = "`broker.maxConnections` in `gateway.json` and the budgets bound what connections can take" },
        new(HostLimits.Limit, SettingType.Int, Unlimited, Treatment.Honoured) { Least = 0 },
        new(HostLimits.Overrides, SettingType.String, "", Treatment.Honoured) { Check = HostLimits.Problem },
        new("metric.reporters", SettingType.List, "", Treatment.Stored) { Why = "no classes can be loaded; metrics are at the REST address" },
        new("num.io.threads", SettingType.Int, "8", Treatment.Stored) { Least = 1, Why = "one pool of threads for all work, as large as the machine" },
        new("num.network.threads", SettingType.Int, "3", Treatment.Stored) { Least = 1, Why = "one pool of threads for all work, as large as the machine" },
        new("num.recovery.threads.per.data.dir", SettingType.Int, "2", Treatment.Stored) { Least = 1, Why = "a start opens no sealed segment: there is nothing to share out" },
        new("num.replica.fetchers", SettingType.Int, "1", Treatment.Stored) { Least = 1, Why = "one replica" },
        new("producer.id.expiration.ms", SettingType.Int, "86400000", Treatment.Stored) { Least = 1, Why = "a day, fixed" },
        new("sasl.kerberos.kinit.cmd", SettingType.String, "/usr/bin/kinit", Treatment.Stored) { Why = "no GSSAPI" },
        new("sasl.kerberos.min.time.before.relogin", SettingType.Long, "60000", Treatment.Stored) { Least = 0, Why = "no GSSAPI" },
        new("sasl.kerberos.ticket.renew.jitter", SettingType.Double, "0.05", Treatment.Stored) { Why = "no GSSAPI" },
        new("sasl.kerberos.ticket.renew.window.factor", SettingType.Double, "0.8", Treatment.Stored) { Why = "no GSSAPI" },
        new("transaction.partition.verification.enable", SettingType.Boolean, "true", Treatment.Stored) { Why = "always verified: coordinator and partition are one process" },
    ];

    /// <summary>Of a group (KIP-848).</summary>
    public static IReadOnlyList<Setting> OfGroups { get; } =
    [
        new(GroupSettings.HeartbeatInterval, SettingType.Int, "5000", Treatment.Honoured) { Least = GroupSettings.LeastHeartbeat, Most = GroupSettings.MostHeartbeat },
        new(GroupSettings.SessionTimeout, SettingType.Int, "45000", Treatment.Honoured) { Least = GroupSettings.LeastSession, Most = GroupSettings.MostSession },
    ];
}
