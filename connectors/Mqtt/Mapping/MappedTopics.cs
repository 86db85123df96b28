using System.Diagnostics.CodeAnalysis;
using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>
/// The topics met under one subscription, mapped once each. Remembers a bounded number, those that do not match included, so that
/// a fleet with a hundred thousand topics costs no more memory than one with a few thousand. One thread.
/// </summary>
sealed class MappedTopics
{
    const int MostRemembered = 4_096;

    readonly Dictionary<byte[], MappedTopic?> _known = new(Utf8Names.Instance);
    readonly Dictionary<byte[], MappedTopic?>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    public MappedTopics(MappingRule rule)
    {
        Rule = rule;
        _lookup = _known.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    public MappingRule Rule { get; }

    /// <summary>The mapping of a topic; false when the subscription does not match it.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, [NotNullWhen(true)] out MappedTopic? topic)
    {
        if (_lookup.TryGetValue(name, out topic)) return topic is not null;
        if (_known.Count >= MostRemembered) _known.Clear();
        _lookup[name] = topic = TopicName.Matches(Encoding.UTF8.GetString(name), Rule.Filter) ? Rule.Map(name) : null;
        return topic is not null;
    }

    /// <summary>Maps a topic whether it matches or not.</summary>
    public MappedTopic Map(ReadOnlySpan<byte> name) => Rule.Map(name);

    sealed class Utf8Names : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static Utf8Names Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);
        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());
        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);
        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }
    }
}
