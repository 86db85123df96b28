using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Kafka.Sink;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Kafka.Config;

/// <summary>Where topics are forwarded to, under which names, and how the cluster is reached.</summary>
public sealed record KafkaConfig : IValidatableObject
{
    /// <summary>The cluster.</summary>
    [Option("Bootstrap servers of the cluster: host:port, one or a list.", Example = "cloud:9093")]
    public required Endpoints Endpoint { get; init; }

    /// <summary>Topic names there.</summary>
    [Option("Name of a topic there: text with ${topic} (its name here) and ${gateway}.", Example = "${gateway}.${topic}")]
    public string Target { get; init; } = "${gateway}.${topic}";

    /// <summary>Whether missing topics are made.</summary>
    [Option("Whether topics missing there are made, with as many partitions as here.")]
    public bool CreateTopics { get; init; } = true;

    /// <summary>Copies of new topics.</summary>
    [Option("Replicas of topics made there. 0: the cluster's own default.", Advanced = true), Range(0, 100)]
    public int Replicas { get; init; }

    /// <summary>Compression.</summary>
    [Option("Compression on the way: zstd is smallest, lz4 takes least processor time.")]
    public Compression Compression { get; init; } = Compression.Zstd;

    /// <summary>How long records are collected.</summary>
    [Option("How long records are collected into one request.", Advanced = true), Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>How long a write waits.</summary>
    [Option("How long to wait for a cluster that takes nothing before the connection is given up and made anew.", Advanced = true), Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>TLS.</summary>
    [Option("Encrypts the connection; {} trusts the system's authorities. Without it nothing is encrypted.")]
    public TlsConfig? Tls { get; init; }

    /// <summary>User.</summary>
    [Option("User name; without it no login takes place.")]
    public string? Username { get; init; }

    /// <summary>Password.</summary>
    [Option("Password.", Secret = true, Example = "${file:kafka.secret}")]
    public string? Password { get; init; }

    /// <summary>Mechanism.</summary>
    [Option("How user name and password are shown to the cluster (SASL mechanism).")]
    public Login Login { get; init; } = Login.Plain;

    /// <summary>Extra settings.</summary>
    [Option("Further settings of the Kafka client library by their own names; only tuning is allowed.", Advanced = true)]
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>();

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var address in Endpoint)
            if (address.LastIndexOf(':') is not (> 0 and var colon) || !ushort.TryParse(address.AsSpan(colon + 1), out var port) || port == 0 || address.Contains('/', StringComparison.Ordinal))
                yield return new($"'{address}' is no address: write host:port, such as cloud:9093.", [nameof(Endpoint)]);
        if (TargetName.Problem(Target) is { } problem) yield return new(problem, [nameof(Target)]);
        if (Username is null != Password is null) yield return new("User name and password belong together: set both or none.", [Username is null ? nameof(Username) : nameof(Password)]);
        if (Tls?.ServerName is not null) yield return new("Not possible with Kafka: connect by the name that stands in the certificate.", ["Tls.ServerName"]);
        if (Tls is { Key: not null, Certificate: null } or { Key: null, Certificate: not null }) yield return new("Certificate and key belong together: set both or none.", [nameof(Tls)]);
        foreach (var name in Client.Keys)
            if (ClientOptions.Problem(name) is { } wrong)
                yield return new(wrong, [nameof(Client)]);
    }
}
