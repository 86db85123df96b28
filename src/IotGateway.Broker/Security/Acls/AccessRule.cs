using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Security.Acls;

/// <summary>An operation on a kind of resource, as an API asks for it, with the error of those who may not. Immutable.</summary>
internal readonly record struct AccessRule(AclOperation Operation, ResourceType Type)
{
    /// <summary>The error code of a refusal: each kind of resource has its own.</summary>
    public KafkaError Error => Type switch
    {
        ResourceType.Topic => KafkaError.TopicAuthorizationFailed,
        ResourceType.Group => KafkaError.GroupAuthorizationFailed,
        ResourceType.TransactionalId => KafkaError.TransactionalIdAuthorizationFailed,
        _ => KafkaError.ClusterAuthorizationFailed,
    };

    /// <summary>In Kafka's words: <c>READ on Topic</c>.</summary>
    public override string ToString() => $"{Screaming(Operation)} on {(Type == ResourceType.TransactionalId ? "transactional id" : Type.ToString().ToLowerInvariant())}";

    public static AccessRule Topic(AclOperation operation) => new(operation, ResourceType.Topic);

    public static AccessRule Group(AclOperation operation) => new(operation, ResourceType.Group);

    public static AccessRule Cluster(AclOperation operation) => new(operation, ResourceType.Cluster);

    public static AccessRule TransactionalId(AclOperation operation) => new(operation, ResourceType.TransactionalId);

    static string Screaming(AclOperation operation)
        => string.Concat(operation.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? $"_{c}" : char.ToUpperInvariant(c).ToString()));
}
