namespace IotGateway.Connectors.Files.Config;

/// <summary>What the value of a line's record is.</summary>
public enum LineFormat
{
    /// <summary>The line's bytes, unchanged.</summary>
    Raw,

    /// <summary>An object with file, offset, time and line.</summary>
    Json,
}
