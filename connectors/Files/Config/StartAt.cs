namespace IotGateway.Connectors.Files.Config;

/// <summary>Where a file without a known position is begun.</summary>
public enum StartAt
{
    /// <summary>At its first byte.</summary>
    Beginning,

    /// <summary>After its last complete line.</summary>
    End,
}
