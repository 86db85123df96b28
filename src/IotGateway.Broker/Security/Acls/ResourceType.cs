namespace IotGateway.Broker.Security.Acls;

/// <summary>What is protected, by Kafka's codes (ResourceType). ANY is for filters.</summary>
internal enum ResourceType : sbyte
{
    Unknown = 0,
    Any = 1,
    Topic = 2,
    Group = 3,
    Cluster = 4,
    TransactionalId = 5,
    DelegationToken = 6,
    User = 7,
}
