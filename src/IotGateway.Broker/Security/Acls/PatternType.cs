namespace IotGateway.Broker.Security.Acls;

/// <summary>How an ACL names resources, by Kafka's codes (PatternType, KIP-290). ANY and MATCH are for filters.</summary>
internal enum PatternType : sbyte
{
    Unknown = 0,
    Any = 1,

    /// <summary>Every pattern that covers the name asked for.</summary>
    Match = 2,

    /// <summary>That name; <c>*</c> is every name.</summary>
    Literal = 3,

    /// <summary>Every name that starts so.</summary>
    Prefixed = 4,
}
