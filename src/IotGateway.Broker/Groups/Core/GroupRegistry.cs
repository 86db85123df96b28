using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace IotGateway.Broker.Groups.Core;

/// <summary>All groups by id. Thread-safe; a group that was deleted meanwhile is looked up anew, so that no step acts on a dead one.</summary>
internal sealed class GroupRegistry(GroupEnvironment environment, GroupLoop loop)
{
    readonly ConcurrentDictionary<string, Group> groups = new(StringComparer.Ordinal);

    /// <summary>Present groups; they may be deleted while the caller looks.</summary>
    public IEnumerable<Group> All => groups.Select(entry => entry.Value);

    public Group GetOrAdd(string id) => groups.GetOrAdd(id, static (key, env) => new(key, env), environment);

    public bool TryGet(string id, [MaybeNullWhen(false)] out Group group) => groups.TryGetValue(id, out group);

    /// <summary>Runs a step inside the group, if there is one.</summary>
    public bool TryEnter<T>(string id, Func<Group, T> step, [MaybeNullWhen(false)] out T result)
    {
        while (groups.TryGetValue(id, out var group))
            if (TryEnter(group, step, out result)) return true;
        result = default;
        return false;
    }

    /// <summary>Runs a step inside the group, which is made when there is none.</summary>
    public T Enter<T>(string id, Func<Group, T> step)
    {
        while (true)
            if (TryEnter(GetOrAdd(id), step, out var result)) return result;
    }

    /// <summary>Runs a step inside that very group; false when it was deleted.</summary>
    public bool TryEnter<T>(Group group, Func<Group, T> step, [MaybeNullWhen(false)] out T result)
    {
        (var alive, result) = loop.Enter(group, g => g.Removed ? (false, default) : (true, step(g)));
        if (!alive) Drop(group);
        return alive;
    }

    /// <summary>Forgets a deleted group.</summary>
    public void Drop(Group group) => groups.TryRemove(new(group.Id, group));
}
