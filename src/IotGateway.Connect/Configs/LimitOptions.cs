using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>Limits of one connector.</summary>
public sealed record LimitOptions
{
    [Option("Most tags it may have; beyond it new tags are refused and counted."), Range(1, 10_000_000)]
    public int Tags { get; init; } = 100_000;
}
