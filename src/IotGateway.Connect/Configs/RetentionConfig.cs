using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>How long records are kept; whichever is reached first.</summary>
public sealed record RetentionConfig
{
    [Option("Age after which records go.", Example = "7d"), Range(typeof(TimeSpan), "00:00:01", "36500.00:00:00")]
    public TimeSpan? Time { get; init; }

    [Option("Size at which the oldest records go.", Example = "20GiB"), Range(typeof(ByteSize), "1MiB", "8192TiB")]
    public ByteSize? Size { get; init; }
}
