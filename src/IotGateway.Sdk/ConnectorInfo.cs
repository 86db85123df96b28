namespace IotGateway.Sdk;

/// <summary>What a plugin says of itself.</summary>
/// <param name="Name">As written in <c>"connector": "…"</c>; lower case.</param>
/// <param name="Summary">One sentence for lists and README.</param>
/// <param name="Roles">Which capabilities its instances have.</param>
public sealed record ConnectorInfo(string Name, string Summary, ConnectorRoles Roles);

/// <summary>Capabilities, known before an instance exists.</summary>
[Flags]
public enum ConnectorRoles
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Instances implement <see cref="ISource"/>.</summary>
    Source = 1,

    /// <summary>Instances implement <see cref="ISink"/>.</summary>
    Sink = 2,

    /// <summary>Instances implement <see cref="Commands.ICommandTarget"/>.</summary>
    Commands = 4,

    /// <summary>Instances implement <see cref="IReadable"/>.</summary>
    Readable = 8,

    /// <summary>Instances implement <see cref="IBrowsable"/>.</summary>
    Browsable = 16,
}
