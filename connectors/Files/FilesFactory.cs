using IotGateway.Connectors.Files.Config;
using IotGateway.Connectors.Files.Tail;
using IotGateway.Sdk;

namespace IotGateway.Connectors.Files;

/// <summary>The plugin's face: makes sources that read files.</summary>
public sealed class FilesFactory : IConnectorFactory<FilesConfig>
{
    /// <inheritdoc/>
    public ConnectorInfo Info { get; } = new("files", "Follows growing text files; one record per line.", ConnectorRoles.Source);

    /// <inheritdoc/>
    public IConnector Create(FilesConfig config, ConnectorContext context) => new TailSource(config, context);
}
