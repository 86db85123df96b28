using System.Text;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Health;
using IotGateway.Connect.Records;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tasks;

/// <summary>All tags of a gateway: one object per device and name. Thread-safe.</summary>
sealed class TagTable(IEventLog log)
{
    readonly Lock _lock = new();
    readonly Dictionary<(string Device, string Name), Tag> _tags = [];
    readonly Dictionary<string, string> _owners = new(StringComparer.Ordinal);
    int _next;

    /// <summary>
    /// The tag, made on first use. A tag whose type, unit or topic changed with the configuration is a new object with the same number.
    /// </summary>
    /// <returns>Null when it is new and the connector has no room for another (<paramref name="owner"/> counts).</returns>
    /// <exception cref="PermanentException">The device belongs to another connector.</exception>
    public Tag? Intern(TagOwner owner, string device, string name, DataType type, string? unit)
    {
        ArgumentException.ThrowIfNullOrEmpty(device);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (device.Contains('/', StringComparison.Ordinal)) throw new ArgumentException($"Device '{device}': a device's name must not hold '/'.", nameof(device));
        lock (_lock)
        {
            var known = _tags.GetValueOrDefault((device, name));
            if (known is not null && known.Type == type && known.Unit == unit && known.Slot is TagSlot had && ReferenceEquals(had.Owner, owner)) return known;
            if (_owners.TryGetValue(device, out var other) && other != owner.Connector)
                throw new PermanentException($"Device '{device}' belongs to connector '{other}' already. Device names are unique in a gateway: rename one of them.");
            if (known?.Slot is not TagSlot old || !ReferenceEquals(old.Owner, owner))
                if (!owner.TryCount()) return null;
            _owners[device] = owner.Connector;
            return _tags[(device, name)] = Make(owner, device, name, type, unit, known?.Id ?? _next++);
        }
    }

    /// <summary>The tag, if it is known.</summary>
    public Tag? Find(string device, string name)
    {
        lock (_lock) return _tags.GetValueOrDefault((device, name));
    }

    /// <summary>Its last durable reading.</summary>
    public bool TryGetLast(Tag tag, out Reading last)
    {
        last = default;
        return log.Get(LogTables.Last, tag.Key.Span) is { } bytes && LastValueCodec.TryRead(tag, bytes.Span, out last);
    }

    /// <summary>Forgets a removed connector's tags, so that its device names are free again.</summary>
    public void Remove(string connector)
    {
        lock (_lock)
        {
            foreach (var device in _owners.Where(o => o.Value == connector).Select(o => o.Key).ToHashSet())
            {
                _owners.Remove(device);
                foreach (var key in _tags.Keys.Where(k => k.Device == device).ToList()) _tags.Remove(key);
            }
        }
    }

    Tag Make(TagOwner owner, string device, string name, DataType type, string? unit, int id)
    {
        var topic = owner.Topics.ForTag(device, name);
        var tag = new Tag(device, name, type, unit, id, topic.Topic ?? InternalTopics.DeadLetters, Encoding.UTF8.GetBytes($"{device}/{name}"));
        var slot = new TagSlot(tag, topic, owner.Board.Add(device), owner);
        tag.Slot = slot;
        owner.Board.Add(tag, slot, TryGetLast(tag, out var last) ? last : null);
        return tag;
    }
}

/// <summary>Whose tags they are: a connector under one configuration.</summary>
sealed class TagOwner(string connector, int limit, TopicNames topics, PartBoard board)
{
    int _count;
    long _refused;

    public string Connector => connector;
    public TopicNames Topics => topics;
    public PartBoard Board => board;
    public int Count => Volatile.Read(ref _count);
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Takes one of the places; counts the refusal when there is none. Called under the table's lock.</summary>
    public bool TryCount()
    {
        if (_count < limit)
        {
            _count++;
            return true;
        }
        Interlocked.Increment(ref _refused);
        return false;
    }
}
