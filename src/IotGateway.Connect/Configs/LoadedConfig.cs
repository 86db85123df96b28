namespace IotGateway.Connect.Configs;

/// <summary>A configuration folder as read: what is valid, and everything that is not. Immutable.</summary>
public sealed record LoadedConfig
{
    /// <summary>The folder, absolute.</summary>
    public required string Folder { get; init; }

    /// <summary>gateway.json; with errors in it, what could be read of it and defaults for the rest.</summary>
    public required GatewayConfig Gateway { get; init; }

    /// <summary>Text of gateway.json as written, references to secrets unresolved; empty when there is none.</summary>
    public required string GatewayText { get; init; }

    /// <summary>The valid connectors, disabled ones included, by name.</summary>
    public required IReadOnlyList<ConnectorConfig> Connectors { get; init; }

    /// <summary>Problems of all files, by file and line.</summary>
    public required IReadOnlyList<ConfigProblem> Problems { get; init; }

    /// <summary>Whether any problem is an error: nothing may be started from it.</summary>
    public bool HasErrors => Problems.Any(p => p.Severity == Severity.Error);
}

/// <summary>One connector file as read.</summary>
/// <param name="Config">The connector, or null when it has errors.</param>
/// <param name="Problems">Everything wrong with it, by line.</param>
public sealed record LoadedConnector(ConnectorConfig? Config, IReadOnlyList<ConfigProblem> Problems);
