using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

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

    [Option("Settings per topic; the first match counts. A change reaches the topics there are, but for their partitions.", Advanced = true)]
    public IReadOnlyList<TopicRule> Topics { get; init; } = [];

    [Option("Commands to machines.", Advanced = true)]
    public CommandsConfig Commands { get; init; } = new();

    [Option("Where secrets may be read from.", Advanced = true)]
    public SecretsConfig Secrets { get; init; } = new();
}
