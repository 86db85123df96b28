namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>How a property is written.</summary>
enum PropertyKind : byte { None, Byte, UInt16, UInt32, VarInt, Text, Binary, Pair }

/// <summary>Which property is written how and may stand where (MQTT 5 §2.2.2.2, table 2-4). Pure.</summary>
static class PropertyRules
{
    /// <summary>The place of will properties, which is no packet type of its own.</summary>
    public const PacketType Will = 0;

    const uint Connect = 1u << (int)PacketType.Connect, ConnAck = 1u << (int)PacketType.ConnAck, Publish = 1u << (int)PacketType.Publish,
        Acks = 1u << (int)PacketType.PubAck | 1u << (int)PacketType.PubRec | 1u << (int)PacketType.PubRel | 1u << (int)PacketType.PubComp,
        Subscribe = 1u << (int)PacketType.Subscribe, SubAck = 1u << (int)PacketType.SubAck, Unsubscribe = 1u << (int)PacketType.Unsubscribe,
        UnsubAck = 1u << (int)PacketType.UnsubAck, Disconnect = 1u << (int)PacketType.Disconnect, Auth = 1u << (int)PacketType.Auth, WillBit = 1u;

    static readonly (PropertyKind Kind, uint Places)[] Rules = Table();

    /// <summary>The notation; None when there is no such property.</summary>
    public static PropertyKind Kind(uint id) => id < (uint)Rules.Length ? Rules[id].Kind : PropertyKind.None;

    /// <summary>Whether the property may stand in a packet of this type, or in a will (<see cref="Will"/>).</summary>
    public static bool Allowed(uint id, PacketType place) => (Rules[id].Places >> (int)place & 1) != 0;

    /// <summary>Whether it may stand more than once in this packet type (§2.2.2.2, §3.3.2.3.8).</summary>
    public static bool MayRepeat(PropertyId id, PacketType place)
        => id == PropertyId.UserProperty || (id == PropertyId.SubscriptionId && place == PacketType.Publish);

    /// <summary>Whether a number is within the property's own range; the sections are in table 2-4.</summary>
    public static bool InRange(PropertyId id, uint value) => id switch
    {
        PropertyId.PayloadFormat or PropertyId.RequestProblemInformation or PropertyId.RequestResponseInformation or PropertyId.MaximumQos
            or PropertyId.RetainAvailable or PropertyId.WildcardAvailable or PropertyId.SubscriptionIdAvailable or PropertyId.SharedAvailable => value <= 1,
        PropertyId.SubscriptionId or PropertyId.ReceiveMaximum or PropertyId.MaximumPacketSize => value != 0,
        _ => true,
    };

    static (PropertyKind, uint)[] Table()
    {
        var t = new (PropertyKind, uint)[0x2B];
        void Set(PropertyId id, PropertyKind kind, uint places) => t[(int)id] = (kind, places);
        Set(PropertyId.PayloadFormat, PropertyKind.Byte, Publish | WillBit);
        Set(PropertyId.MessageExpiry, PropertyKind.UInt32, Publish | WillBit);
        Set(PropertyId.ContentType, PropertyKind.Text, Publish | WillBit);
        Set(PropertyId.ResponseTopic, PropertyKind.Text, Publish | WillBit);
        Set(PropertyId.CorrelationData, PropertyKind.Binary, Publish | WillBit);
        Set(PropertyId.SubscriptionId, PropertyKind.VarInt, Publish | Subscribe);
        Set(PropertyId.SessionExpiry, PropertyKind.UInt32, Connect | ConnAck | Disconnect);
        Set(PropertyId.AssignedClientId, PropertyKind.Text, ConnAck);
        Set(PropertyId.ServerKeepAlive, PropertyKind.UInt16, ConnAck);
        Set(PropertyId.AuthenticationMethod, PropertyKind.Text, Connect | ConnAck | Auth);
        Set(PropertyId.AuthenticationData, PropertyKind.Binary, Connect | ConnAck | Auth);
        Set(PropertyId.RequestProblemInformation, PropertyKind.Byte, Connect);
        Set(PropertyId.WillDelay, PropertyKind.UInt32, WillBit);
        Set(PropertyId.RequestResponseInformation, PropertyKind.Byte, Connect);
        Set(PropertyId.ResponseInformation, PropertyKind.Text, ConnAck);
        Set(PropertyId.ServerReference, PropertyKind.Text, ConnAck | Disconnect);
        Set(PropertyId.ReasonString, PropertyKind.Text, ConnAck | Acks | SubAck | UnsubAck | Disconnect | Auth);
        Set(PropertyId.ReceiveMaximum, PropertyKind.UInt16, Connect | ConnAck);
        Set(PropertyId.TopicAliasMaximum, PropertyKind.UInt16, Connect | ConnAck);
        Set(PropertyId.TopicAlias, PropertyKind.UInt16, Publish);
        Set(PropertyId.MaximumQos, PropertyKind.Byte, ConnAck);
        Set(PropertyId.RetainAvailable, PropertyKind.Byte, ConnAck);
        Set(PropertyId.UserProperty, PropertyKind.Pair, uint.MaxValue);
        Set(PropertyId.MaximumPacketSize, PropertyKind.UInt32, Connect | ConnAck);
        Set(PropertyId.WildcardAvailable, PropertyKind.Byte, ConnAck);
        Set(PropertyId.SubscriptionIdAvailable, PropertyKind.Byte, ConnAck);
        Set(PropertyId.SharedAvailable, PropertyKind.Byte, ConnAck);
        return t;
    }
}
