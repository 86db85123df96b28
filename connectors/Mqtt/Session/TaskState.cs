using System.Globalization;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Session;

/// <summary>
/// One task's part of the connector's durable state: durable state belongs to a connector, but each task has a session of its own at the
/// broker. Task 0 has the keys a connector without tasks has, so that raising <c>tasks</c> keeps its session. Stateless.
/// </summary>
sealed class TaskState(ConnectorContext context, int task)
{
    readonly string _prefix = task == 0 ? "" : "task/" + task.ToString(CultureInfo.InvariantCulture) + "/";

    /// <summary>The state, under the session's own keys.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Read()
        => task == 0 ? context.State : context.State.Where(s => s.Key.StartsWith(_prefix, StringComparison.Ordinal)).ToDictionary(s => s.Key[_prefix.Length..], s => s.Value);

    /// <summary>Changes under the connector's keys.</summary>
    public IReadOnlyList<StateChange> Of(IReadOnlyList<StateChange> changes)
        => task == 0 || changes.Count == 0 ? changes : [.. changes.Select(c => c with { Key = _prefix + c.Key })];

    public ValueTask SaveAsync(IReadOnlyList<StateChange> changes, CancellationToken ct) => context.SaveAsync(Of(changes), ct);
}
