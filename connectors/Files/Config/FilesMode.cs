namespace IotGateway.Connectors.Files.Config;

/// <summary>How files are read.</summary>
public enum FilesMode
{
    /// <summary>Growing files are followed line by line.</summary>
    Tail,
}
