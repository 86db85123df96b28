using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>How long a sink holds what it has not delivered yet against retention and the log's size.</summary>
public sealed record PinOptions
{
    [Option("Age up to which records not delivered yet are kept, whatever retention says; 0s holds nothing. When the log is full of them, sources wait."), Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(7);
}
