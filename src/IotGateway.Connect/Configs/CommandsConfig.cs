using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>Commands to machines.</summary>
public sealed record CommandsConfig
{
    [Option("Whether commands are looked at; nothing is writable without a write rule on its tag anyway.")]
    public bool Enabled { get; init; } = true;

    [Option("Refuses every command, whatever the tags allow.")]
    public bool ReadOnly { get; init; }

    [Option("Longest time between a command's issuedAt and its deadline."), Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromSeconds(60);

    [Option("Who may command, as Kafka principals; default: whoever may write gateway.commands. Over REST it is gateway:rest.", Example = "User:mes")]
    public IReadOnlyList<string> Principals { get; init; } = [];

    [Option("Executes commands that carry no principal and no signature, such as replicated ones. Audited.")]
    public bool TrustTopic { get; init; }

    [Option("Executes commands though the clock was not synchronised since boot.")]
    public bool TrustClock { get; init; }
}
