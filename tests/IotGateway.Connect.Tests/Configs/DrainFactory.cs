using IotGateway.Sdk;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Tests.Configs;

/// <summary>A sink's configuration that declares one option the runtime has too, with another meaning, and one with the same.</summary>
public sealed record DrainConfig
{
    [Option("Where to.")]
    public required string To { get; init; }

    [Option("How lines are separated.")]
    public Separator Format { get; init; }

    [Option("Name at the other end.")]
    public string Topic { get; init; } = "${gateway}.${topic}";
}

/// <summary>Separators.</summary>
public enum Separator
{
    Newline,
    Comma,
}

/// <summary>The factory of a sink that is configured and never run.</summary>
public sealed class DrainFactory : IConnectorFactory<DrainConfig>
{
    public ConnectorInfo Info { get; } = new("drain", "A sink for tests of configuration.", ConnectorRoles.Sink);

    public IConnector Create(DrainConfig config, ConnectorContext context) => throw new NotSupportedException("Configured only.");
}
