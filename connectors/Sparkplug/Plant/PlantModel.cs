using System.Text;
using IotGateway.Connectors.Sparkplug.Wire;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>All edge nodes. Thread-safe: the reading loop changes it, commands and browsing look at it.</summary>
sealed class PlantModel
{
    const int MostRebirthsPerSecond = 50; // a fleet is not to be born in one second

    readonly PlantRules _rules;
    readonly int _mostEdges;
    readonly Lock _lock = new();
    readonly Dictionary<EdgeKey, EdgeNode> _edges = [];
    readonly HashSet<EdgeKey> _refused = [];
    long _second;
    int _rebirths;

    public PlantModel(PlantRules rules, int mostEdges) => (_rules, _mostEdges) = (rules, mostEdges);

    /// <summary>Takes over the edge nodes an earlier run knew. Those that do not come by themselves are asked after <paramref name="grace"/>.</summary>
    public void Restore(TimeSpan grace)
    {
        lock (_lock)
        {
            foreach (var (key, value) in _rules.Context.State)
                if (Levels(key, PlantRules.StatePrefix) is [var group, var id] && Add(new(group, id), Encoding.UTF8.GetString(value.Span), out _) is { } edge) edge.Rebirth.Want(grace);
            foreach (var key in _rules.Context.State.Keys)
                if (Levels(key, PlantRules.DevicePrefix) is [var group, var id, var device] && _edges.GetValueOrDefault(new(group, id)) is { } edge && _rules.Names.Take(edge.Key, device, out _) is { } name)
                    edge.Restore(device, name);
        }

        static string[] Levels(string key, string prefix) => key.StartsWith(prefix, StringComparison.Ordinal) ? key[prefix.Length..].Split('/') : [];
    }

    /// <summary>Takes a message; what cannot be read goes to the dead letters.</summary>
    public void Apply(ReadOnlyMemory<byte> topic, ReadOnlyMemory<byte> payload, DateTime received, PlantOutput output)
    {
        if (!SparkplugTopic.TryParse(topic.Span, out var parsed))
        {
            output.Poison(topic, payload, "The topic is none of Sparkplug's.");
            return;
        }
        if (parsed.Kind is MessageKind.NodeCommand or MessageKind.DeviceCommand) return;
        Message message;
        try
        {
            message = new(parsed, PayloadReader.Read(payload), topic, payload, received);
        }
        catch (PayloadException e)
        {
            output.Poison(topic, payload, e.Message);
            return;
        }
        lock (_lock)
        {
            if (EdgeOf(message, output) is not { } edge) return;
            edge.Apply(message, output);
            Ask(edge, output);
        }
    }

    /// <summary>Messages of an edge node were dropped.</summary>
    public void Overflow(EdgeKey key, long messages, PlantOutput output)
    {
        lock (_lock)
            if (_edges.GetValueOrDefault(key) is { } edge)
            {
                edge.Overflow(messages, output);
                Ask(edge, output);
            }
    }

    /// <summary>About once a second: whatever is due.</summary>
    public void Tick(PlantOutput output)
    {
        lock (_lock)
            foreach (var edge in _edges.Values)
            {
                edge.Tick(output);
                Ask(edge, output);
            }
    }

    /// <summary>How many edge nodes are born and not dead, and how many are not.</summary>
    public (int Online, int Offline) Count()
    {
        lock (_lock)
        {
            var online = _edges.Values.Count(e => e.Alive);
            return (online, _edges.Count - online);
        }
    }

    /// <summary>Uses what is known now.</summary>
    public T Look<T>(Func<IReadOnlyCollection<EdgeNode>, T> use)
    {
        lock (_lock) return use(_edges.Values);
    }

    EdgeNode? EdgeOf(Message message, PlantOutput output)
    {
        var key = new EdgeKey(message.Topic.Group, message.Topic.Edge);
        if (_edges.GetValueOrDefault(key) is { } known) return known;
        if (message.Topic.Kind == MessageKind.NodeDeath) return null; // of nobody we know: nothing of it is stale
        if (_refused.Contains(key)) return null;
        if (Add(key, null, out var error) is { } edge) return edge;
        if (_refused.Count < _mostEdges) _refused.Add(key);
        output.Poison(message, error!);
        return null;
    }

    EdgeNode? Add(EdgeKey key, string? openGap, out string? error)
    {
        error = $"There are more than {_mostEdges} edge nodes; raise 'maxEdges'.";
        if (_edges.Count >= _mostEdges) return null;
        return _rules.Names.Take(key, null, out error) is { } name ? _edges[key] = new(key, name, _rules, openGap) : null;
    }

    void Ask(EdgeNode edge, PlantOutput output)
    {
        if (!edge.Rebirth.IsDue) return;
        var time = _rules.Context.Time;
        if (time.GetElapsedTime(_second) >= TimeSpan.FromSeconds(1)) (_second, _rebirths) = (time.GetTimestamp(), 0);
        if (_rebirths++ >= MostRebirthsPerSecond) return;
        edge.Rebirth.Asked();
        output.Rebirths.Add(edge.Key);
    }
}
