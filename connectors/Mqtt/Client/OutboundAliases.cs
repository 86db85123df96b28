using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// Topic aliases of messages to the broker, as many as it offered (MQTT 5 §3.2.2.3.8, §3.3.2.3.4): a topic that comes again is sent as two bytes. When all are
/// taken, one not used for a while is given to another topic. For one connection; used by whoever has the turn to write, so that an alias is on the wire
/// with its topic before it is without.
/// </summary>
sealed class OutboundAliases
{
    /// <summary>Most aliases used, whatever the broker offers: they cost memory at both ends.</summary>
    public const int Most = 1_024;

    const int Shortest = 4; // the property itself is three bytes
    const int Longest = 1_024; // bytes of a topic to be remembered

    readonly Dictionary<byte[], int> _places = new(Utf8Names.Instance);
    readonly byte[]?[] _topics;
    readonly bool[] _used;
    int _hand;

    public OutboundAliases(int offered)
    {
        var count = Math.Min(offered, Most);
        (_topics, _used) = (new byte[count][], new bool[count]);
    }

    /// <summary>Encodes a message, with an alias where that pays.</summary>
    public void Encode(WireWriter w, PublishPacket message)
    {
        var topic = message.Topic.Span;
        if (_topics.Length == 0 || topic.Length is < Shortest or > Longest)
        {
            MqttEncoder.Encode(w, message, MqttVersion.V5);
        }
        else if (_places.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(topic, out var place))
        {
            MqttEncoder.Publish(w, message, (ushort)(place + 1), withTopic: false);
            _used[place] = true;
        }
        else if (IsFree(out place))
        {
            MqttEncoder.Publish(w, message, (ushort)(place + 1), withTopic: true);
            Give(place, topic.ToArray()); // only now: a message that cannot be encoded is not sent
        }
        else
        {
            MqttEncoder.Encode(w, message, MqttVersion.V5);
        }
    }

    // One step of a clock for each topic without an alias: what was used since the hand last came by keeps its alias once more.
    bool IsFree(out int place)
    {
        place = _hand;
        _hand = (_hand + 1) % _topics.Length;
        if (!_used[place]) return true;
        _used[place] = false;
        return false;
    }

    void Give(int place, byte[] topic)
    {
        if (_topics[place] is { } before) _places.Remove(before);
        _topics[place] = topic;
        _places[topic] = place;
        _used[place] = true; // else two topics in turn would take one alias from each other for ever
    }
}
