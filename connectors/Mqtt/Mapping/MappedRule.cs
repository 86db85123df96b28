using System.Diagnostics.CodeAnalysis;
using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>A rule found by its subscription identifier, with the topics met under it, those that do not match included. One thread.</summary>
sealed class MappedRule(MappingRule rule, TopicMemory memory)
{
    readonly TopicCache<MappedTopic?> _known = new(memory);

    public MappingRule Rule => rule;

    /// <summary>The mapping of a topic; false when the subscription does not match it.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, [NotNullWhen(true)] out MappedTopic? topic)
    {
        if (!_known.TryGet(name, out topic)) topic = _known.Add(name, TopicName.Matches(Encoding.UTF8.GetString(name), rule.Filter) ? rule.Map(name) : null);
        return topic is not null;
    }
}
