using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>
/// What was worked out for topics met, by their UTF-8. All caches of a <see cref="TopicMemory"/> share one bound and forget together. One thread.
/// </summary>
sealed class TopicCache<T>(TopicMemory memory)
{
    readonly Dictionary<byte[], T> _known = new(Utf8Names.Instance);
    int _generation = memory.Generation;

    public bool TryGet(ReadOnlySpan<byte> name, out T? found)
    {
        if (_generation != memory.Generation)
        {
            _known.Clear();
            _generation = memory.Generation;
        }
        return _known.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out found);
    }

    /// <summary>Notes what <see cref="TryGet"/> did not find.</summary>
    public T Add(ReadOnlySpan<byte> name, T value)
    {
        if (memory.Take())
        {
            _known.Clear();
            _generation = memory.Generation;
        }
        _known.GetAlternateLookup<ReadOnlySpan<byte>>()[name] = value;
        return value;
    }
}
