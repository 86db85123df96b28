using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>Which names topics made by clients may have: Kafka's rule, without the two topics in which Kafka keeps its own state.</summary>
internal static class TopicNames
{
    /// <summary>What is wrong with the name, or null.</summary>
    public static string? Problem(string name) => name is "__consumer_offsets" or "__transaction_state"
        ? $"Topic '{name}' is Kafka's own; this broker keeps groups and transactions elsewhere."
        : TopicName.Fault(name);
}
