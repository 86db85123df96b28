using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>How a sink's records are collected.</summary>
public sealed record BatchOptions
{
    [Option("Most records at once."), Range(1, 1_000_000)]
    public int MaxRecords { get; init; } = 5_000;

    [Option("Most bytes at once.")]
    public ByteSize MaxBytes { get; init; } = new(4L << 20);

    [Option("How long to wait for more once there is something."), Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan Linger { get; init; }
}
