namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>
/// Finds the first of many filters that a topic matches, level by level (MQTT 5 §4.7), so that ten thousand filters cost a topic no more than
/// a few. Immutable once built; never recursive, so that a topic of 65,535 slashes needs no stack.
/// </summary>
sealed class FilterIndex
{
    const int None = int.MaxValue;

    readonly Node _root = new();

    /// <param name="filters">Without <c>$share</c>; the position in this list decides which is first.</param>
    public FilterIndex(IReadOnlyList<string> filters)
    {
        for (var i = 0; i < filters.Count; i++)
        {
            var node = _root;
            foreach (var level in filters[i].Split('/'))
            {
                if (level == "#") node.Rest = Math.Min(node.Rest, i);
                else node = level == "+" ? node.Any ??= new() : node.Child(level);
            }
            if (!filters[i].EndsWith('#')) node.End = Math.Min(node.End, i);
        }
    }

    /// <summary>Position of the first filter that matches; -1 when none does.</summary>
    public int First(string name)
    {
        var found = None;
        List<Node> here = [_root], next = [];
        var special = name is ['$', ..]; // wildcards in front do not match these (§4.7.2)
        for (var start = 0; here.Count > 0 && start <= name.Length;)
        {
            var end = name.IndexOf('/', start);
            if (end < 0) end = name.Length;
            var level = name.AsSpan(start, end - start);
            foreach (var node in here)
            {
                if (!special) found = Math.Min(found, node.Rest);
                if (node.TryChild(level, out var child)) next.Add(child);
                if (node.Any is { } any && !special) next.Add(any);
            }
            (here, next) = (next, here);
            next.Clear();
            special = false;
            start = end + 1;
        }
        // "sport/#" also matches "sport" (§4.7.1.2).
        foreach (var node in here) found = Math.Min(found, Math.Min(node.End, node.Rest));
        return found == None ? -1 : found;
    }

    sealed class Node
    {
        Dictionary<string, Node>? _children;

        public Node? Any;
        public int End = None, Rest = None;

        public Node Child(string level)
        {
            _children ??= new(StringComparer.Ordinal);
            if (!_children.TryGetValue(level, out var node)) _children[level] = node = new();
            return node;
        }

        public bool TryChild(ReadOnlySpan<char> level, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Node? node)
        {
            node = null;
            return _children is not null && _children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out node);
        }
    }
}
