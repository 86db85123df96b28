using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>One more listener of the Kafka protocol.</summary>
public sealed record ListenerConfig
{
    [Option("Its name in logs and metrics.", Example = "plant"), RegularExpression("^[a-z0-9-]+$", ErrorMessage = "Allowed are lower case letters, digits and '-'.")]
    public required string Name { get; init; }

    [Option("Address and port to listen on.", Example = "192.168.0.10:9093"), ListenAddress]
    public required string Listen { get; init; }

    [Option("Address told to clients; needed where all addresses are listened on, or clients reach it by another one (containers, NAT). Default: the one listened on.", Example = "gateway.plant.local:9093"), ListenAddress]
    public string? Advertised { get; init; }

    [Option("TLS; without it everything crosses the network readable.")]
    public ListenerTlsConfig? Tls { get; init; }

    [Option("How clients say who they are; without it they do not have to.")]
    public SaslConfig? Sasl { get; init; }
}
