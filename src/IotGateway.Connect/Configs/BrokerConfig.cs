using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>The Kafka protocol.</summary>
public sealed record BrokerConfig : IValidatableObject
{
    [Option("Address and port Kafka clients connect to; port 0 takes a free one."), ListenAddress]
    public string Listen { get; init; } = "127.0.0.1:9092";

    [Option("Address told to clients; needed where all addresses are listened on, or clients reach it by another one (containers, NAT). Default: the one listened on.", Example = "gateway.plant.local:9092", Advanced = true), ListenAddress]
    public string? Advertised { get; init; }

    [Option("TLS; without it everything crosses the network readable.", Advanced = true)]
    public ListenerTlsConfig? Tls { get; init; }

    [Option("How clients say who they are; without it they do not have to.", Advanced = true)]
    public SaslConfig? Sasl { get; init; }

    [Option("Users to begin with; more are made with './gateway users' or Kafka's tools. Only hashes of the passwords are stored.", Advanced = true)]
    public IReadOnlyList<UserConfig> Users { get; init; } = [];

    [Option("Further listeners, for instance one for the plant network.", Advanced = true)]
    public IReadOnlyList<ListenerConfig> Listeners { get; init; } = [];

    [Option("Allows listening beyond this machine without authentication, or with passwords in plain text.", Advanced = true)]
    public bool Insecure { get; init; }

    [Option("Whether a topic is made when a client first names it.", Advanced = true)]
    public bool AutoCreateTopics { get; init; } = true;

    [Option("Partitions of a topic made without a number.", Advanced = true), Range(1, 1_000)]
    public int DefaultPartitions { get; init; } = 1;

    [Option("Most clients connected at a time; further ones are turned away.", Advanced = true), Range(10, 100_000)]
    public int MaxConnections { get; init; } = 2_000;

    [Option("Who may do what.", Advanced = true)]
    public AclsConfig Acls { get; init; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var twin in Listeners.GroupBy(l => l.Name).Where(g => g.Count() > 1)) yield return new($"Two listeners are named '{twin.Key}'.", [nameof(Listeners)]);
        foreach (var twin in Users.GroupBy(u => u.Name).Where(g => g.Count() > 1)) yield return new($"Two users are named '{twin.Key}'.", [nameof(Users)]);
        foreach (var problem in ListenerChecks.Check("", Listen, Advertised, Tls, Sasl, Insecure)) yield return problem;
        for (var i = 0; i < Listeners.Count; i++)
        {
            var listener = Listeners[i];
            if (listener.Listen is null) continue; // missing, which is said already
            foreach (var problem in ListenerChecks.Check($"{nameof(Listeners)}[{i}].", listener.Listen, listener.Advertised, listener.Tls, listener.Sasl, Insecure)) yield return problem;
        }
    }
}
