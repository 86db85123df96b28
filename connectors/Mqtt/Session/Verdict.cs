namespace IotGateway.Connectors.Mqtt.Session;

/// <summary>What to do with a QoS 1 or 2 message.</summary>
enum Verdict
{
    /// <summary>New: append it and acknowledge when durable.</summary>
    Append,

    /// <summary>A redelivery of what is durable already: acknowledge only.</summary>
    AcknowledgeOnly,

    /// <summary>Sent twice on one connection, the first not acknowledged yet: its acknowledgement serves both.</summary>
    Ignore,
}
