using IotGateway.Sdk.Data;

namespace IotGateway.Sdk.Commands;

/// <summary>A checked command, ready to be sent.</summary>
public sealed record Command
{
    /// <summary>The issuer's id.</summary>
    public required string Id { get; init; }

    /// <summary>The device.</summary>
    public required string Device { get; init; }

    /// <summary>The tag to write; null for a method.</summary>
    public string? Tag { get; init; }

    /// <summary>The value to write, in the tag's own type and engineering units; None for a method.</summary>
    public Value Value { get; init; }

    /// <summary>The method to call; null for a write.</summary>
    public string? Method { get; init; }

    /// <summary>The method's arguments.</summary>
    public IReadOnlyDictionary<string, Value> Arguments { get; init; } = new Dictionary<string, Value>();

    /// <summary>After this moment nothing may be sent.</summary>
    public required DateTimeOffset Deadline { get; init; }
}
