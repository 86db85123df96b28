using IotGateway.Sdk.Health;

namespace IotGateway.Sdk;

/// <summary>A connector that can take a changed configuration without a new connection.</summary>
public interface IReconfigurable<TConfig> : IConnector where TConfig : class
{
    /// <summary>Applies <paramref name="next"/> while <see cref="ISource.ReadAsync"/> runs. A throw faults the instance.</summary>
    ValueTask<ApplyResult> TryApplyAsync(TConfig next, CancellationToken ct);
}

/// <summary>Outcome of <see cref="IReconfigurable{TConfig}.TryApplyAsync"/>.</summary>
public abstract record ApplyResult
{
    ApplyResult() { }

    /// <summary>The new configuration is in force; the parts listed do not work under it.</summary>
    public sealed record Applied(params IReadOnlyList<PartHealth> Failing) : ApplyResult;

    /// <summary>Nothing was changed at the device; a new instance is needed.</summary>
    public sealed record NeedsRestart(string Why) : ApplyResult;
}
