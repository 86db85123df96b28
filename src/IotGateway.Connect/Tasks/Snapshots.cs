// The read side of the worker: immutable pictures of the present, taken without stopping anything. Grouped in one file because
// they are one tree and are read together by REST and CLI.
using IotGateway.Connect.Configs;
using IotGateway.Sdk;
using IotGateway.Sdk.Health;

namespace IotGateway.Connect.Tasks;

/// <summary>A connector and everything below it.</summary>
public sealed record ConnectorSnapshot
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its plugin's name.</summary>
    public required string Plugin { get; init; }

    /// <summary>What it can do.</summary>
    public required ConnectorRoles Roles { get; init; }

    /// <summary>The configuration in force.</summary>
    public required ConnectorConfig Config { get; init; }

    /// <summary>The worst state among its tasks; Stopped when it is disabled.</summary>
    public required RunState State { get; init; }

    /// <summary>Its tasks, by key.</summary>
    public required IReadOnlyList<TaskSnapshot> Tasks { get; init; }

    /// <summary>Its devices, by name: those reported or seen in readings.</summary>
    public required IReadOnlyList<PartSnapshot> Devices { get; init; }

    /// <summary>Tags that do not work now.</summary>
    public required IReadOnlyList<PartSnapshot> FailingTags { get; init; }

    /// <summary>Tags known.</summary>
    public required int Tags { get; init; }

    /// <summary>Tags refused because of <c>limits.tags</c>.</summary>
    public required long TagsRefused { get; init; }
}

/// <summary>One running share of a connector.</summary>
public sealed record TaskSnapshot
{
    /// <summary>Number from 0, in the order of the keys.</summary>
    public required int Number { get; init; }

    /// <summary>Key given by the connector's split; empty when it is not split.</summary>
    public required string Key { get; init; }

    /// <summary>Its state.</summary>
    public required RunState State { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Failed attempts in a row; 0 while it works.</summary>
    public required int Attempt { get; init; }

    /// <summary>When it is tried again.</summary>
    public DateTimeOffset? NextTry { get; init; }

    /// <summary>The last failure in words; kept after recovery.</summary>
    public string? LastError { get; init; }

    /// <summary>When that was.</summary>
    public DateTimeOffset? LastErrorAt { get; init; }

    /// <summary>Records appended (source) since the process started.</summary>
    public required long RecordsIn { get; init; }

    /// <summary>Bytes appended (source).</summary>
    public required long BytesIn { get; init; }

    /// <summary>Records delivered (sink).</summary>
    public required long RecordsOut { get; init; }

    /// <summary>Bytes delivered (sink).</summary>
    public required long BytesOut { get; init; }

    /// <summary>Records that went to the dead letters.</summary>
    public required long DeadLetters { get; init; }

    /// <summary>Records not yet delivered (sink).</summary>
    public required long Lag { get; init; }

    /// <summary>When data last became durable (source) or was delivered (sink).</summary>
    public DateTimeOffset? LastData { get; init; }
}

/// <summary>A device or tag.</summary>
/// <param name="Device">The device.</param>
/// <param name="Tag">The tag; null for the device.</param>
/// <param name="State">How it is.</param>
/// <param name="Code">The peer's own code.</param>
/// <param name="Reason">In words.</param>
/// <param name="Since">Since when.</param>
/// <param name="NextTry">When it is tried again.</param>
public sealed record PartSnapshot(string Device, string? Tag, PartState State, string? Code, string? Reason, DateTimeOffset Since, DateTimeOffset? NextTry);
