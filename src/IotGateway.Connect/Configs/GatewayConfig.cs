using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Configs;

/// <summary>gateway.json. Everything but the name has a default; the file itself is required, because the name decides which commands are ours.</summary>
public sealed record GatewayConfig
{
    [Option("Name of this gateway, unique in your plants: lower case letters, digits and '-'. Commands carry it.", Example = "plant-north")]
    [RegularExpression("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", ErrorMessage = "Allowed are lower case letters, digits and '-', at most 63.")]
    public required string Name { get; init; }

    [Option("What it is for, in your own words.", Advanced = true)]
    public string? Description { get; init; }

    [Option("The log on this machine's disk.")]
    public LogConfig Log { get; init; } = new();

    [Option("The Kafka protocol.")]
    public BrokerConfig Broker { get; init; } = new();

    [Option("The REST interface.")]
    public RestConfig Rest { get; init; } = new();

    [Option("Settings per topic; the first match counts.", Advanced = true)]
    public IReadOnlyList<TopicRule> Topics { get; init; } = [];

    [Option("Commands to machines.", Advanced = true)]
    public CommandsConfig Commands { get; init; } = new();

    [Option("Where secrets may be read from.", Advanced = true)]
    public SecretsConfig Secrets { get; init; } = new();
}

/// <summary>The log on this machine's disk.</summary>
public sealed record LogConfig
{
    [Option("When a record counts as safe: fsync (on disk), interval:TIME (synced that often), os (when the system likes)."), RegularExpression(DurabilityPattern, ErrorMessage = DurabilityMessage)]
    public string Durability { get; init; } = "fsync";

    [Option("How long records are kept.")]
    public RetentionConfig Retention { get; init; } = new();

    [Option("Size of the write-ahead log on disk.", Advanced = true), Range(typeof(ByteSize), "16MiB", "16GiB")]
    public ByteSize WalSize { get; init; } = new(256L << 20);

    [Option("Disk space kept free for gaps, outcomes and offsets.", Advanced = true), Range(typeof(ByteSize), "16MiB", "16GiB")]
    public ByteSize Reserve { get; init; } = new(64L << 20);

    internal const string DurabilityMessage = "Must be fsync, os, or interval:TIME such as interval:100ms.";
    internal const string DurabilityPattern = @"^(fsync|os|interval:[0-9]+(\.[0-9]+)?(us|ms|s|min|h|d))$";
}

/// <summary>How long records are kept; whichever is reached first.</summary>
public sealed record RetentionConfig
{
    [Option("Age after which records go.", Example = "7d"), Range(typeof(TimeSpan), "00:00:01", "36500.00:00:00")]
    public TimeSpan? Time { get; init; }

    [Option("Size at which the oldest records go.", Example = "20GiB"), Range(typeof(ByteSize), "1MiB", "8192TiB")]
    public ByteSize? Size { get; init; }
}

/// <summary>The Kafka protocol.</summary>
public sealed record BrokerConfig : IValidatableObject
{
    [Option("Address and port Kafka clients connect to; port 0 takes a free one."), ListenAddress]
    public string Listen { get; init; } = "127.0.0.1:9092";

    [Option("Address told to clients, where it differs from the one listened on.", Example = "gateway.plant.local:9092", Advanced = true), ListenAddress]
    public string? Advertised { get; init; }

    [Option("Further listeners, for instance one for the plant network.", Advanced = true)]
    public IReadOnlyList<ListenerConfig> Listeners { get; init; } = [];

    [Option("Allows listening beyond this machine without authentication.", Advanced = true)]
    public bool Insecure { get; init; }

    [Option("Whether a topic is made when a client first names it.", Advanced = true)]
    public bool AutoCreateTopics { get; init; } = true;

    [Option("Partitions of a topic made without a number.", Advanced = true), Range(1, 1_000)]
    public int DefaultPartitions { get; init; } = 1;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Insecure) yield break;
        if (ListenAddressAttribute.IsExposed(Listen)) yield return new(ListenAddressAttribute.Exposed, [nameof(Listen)]);
        for (var i = 0; i < Listeners.Count; i++)
            if (Listeners[i] is { Listen: { } listen } && ListenAddressAttribute.IsExposed(listen)) yield return new(ListenAddressAttribute.Exposed, [$"{nameof(Listeners)}[{i}].{nameof(Listen)}"]);
    }
}

/// <summary>One more listener of the Kafka protocol.</summary>
public sealed record ListenerConfig
{
    [Option("Its name in logs and metrics.", Example = "plant"), RegularExpression("^[a-z0-9-]+$", ErrorMessage = "Allowed are lower case letters, digits and '-'.")]
    public required string Name { get; init; }

    [Option("Address and port to listen on.", Example = "192.168.0.10:9093"), ListenAddress]
    public required string Listen { get; init; }

    [Option("Address told to clients; default: the one listened on.", Example = "gateway.plant.local:9093"), ListenAddress]
    public string? Advertised { get; init; }
}

/// <summary>The REST interface.</summary>
public sealed record RestConfig : IValidatableObject
{
    [Option("Whether it is served.", Advanced = true)]
    public bool Enabled { get; init; } = true;

    [Option("Address and port; port 0 takes a free one."), ListenAddress]
    public string Listen { get; init; } = "127.0.0.1:8083";

    [Option("Allows listening beyond this machine without authentication.", Advanced = true)]
    public bool Insecure { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Insecure && ListenAddressAttribute.IsExposed(Listen)) yield return new(ListenAddressAttribute.Exposed, [nameof(Listen)]);
    }
}

/// <summary>Settings of the topics a pattern matches.</summary>
public sealed record TopicRule
{
    [Option("Topic name; * stands for any text.", Example = "alarms.*"), RegularExpression(@"^[a-zA-Z0-9._*-]{1,249}$", ErrorMessage = "Allowed are letters, digits, '.', '_', '-' and the wildcard '*'.")]
    public required string Match { get; init; }

    [Option("Priority: dropped last and forwarded first when high.")]
    public Lane? Lane { get; init; }

    [Option("Partitions when the topic is made."), Range(1, 1_000)]
    public int? Partitions { get; init; }

    [Option("fsync, interval:TIME or os; default: the log's."), RegularExpression(LogConfig.DurabilityPattern, ErrorMessage = LogConfig.DurabilityMessage)]
    public string? Durability { get; init; }

    [Option("How long its records are kept; default: the log's.")]
    public RetentionConfig? Retention { get; init; }
}

/// <summary>Commands to machines.</summary>
public sealed record CommandsConfig
{
    [Option("Whether commands are looked at; nothing is writable without a write rule on its tag anyway.")]
    public bool Enabled { get; init; } = true;

    [Option("Refuses every command, whatever the tags allow.")]
    public bool ReadOnly { get; init; }

    [Option("Longest time between a command's issuedAt and its deadline."), Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromSeconds(60);

    [Option("Executes commands that carry no principal and no signature, such as replicated ones. Audited.")]
    public bool TrustTopic { get; init; }

    [Option("Executes commands though the clock was not synchronised since boot.")]
    public bool TrustClock { get; init; }
}

/// <summary>Where secrets may be read from.</summary>
public sealed record SecretsConfig : IValidatableObject
{
    [Option("Absolute folders ${file:…} may read from, beside the configuration folder and /run/secrets.", Example = "[\"/etc/iotgateway/secrets\"]")]
    public IReadOnlyList<string> Folders { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        for (var i = 0; i < Folders.Count; i++)
            if (!Path.IsPathFullyQualified(Folders[i])) yield return new("Must be an absolute path.", [$"{nameof(Folders)}[{i}]"]);
    }
}
