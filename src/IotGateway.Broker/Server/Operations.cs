namespace IotGateway.Broker.Server;

/// <summary>Bit sets of what a client may do (KIP-430): bit n is operation n of Kafka's AclOperation. Without ACLs that is everything.</summary>
internal static class Operations
{
    const int Read = 1 << 3, Write = 1 << 4, Create = 1 << 5, Delete = 1 << 6, Alter = 1 << 7, Describe = 1 << 8,
        ClusterAction = 1 << 9, DescribeConfigs = 1 << 10, AlterConfigs = 1 << 11, IdempotentWrite = 1 << 12;

    public const int OnTopic = Read | Write | Create | Delete | Alter | Describe | DescribeConfigs | AlterConfigs;
    public const int OnReadOnlyTopic = Read | Describe | DescribeConfigs;
    public const int OnCluster = Create | Alter | Describe | ClusterAction | DescribeConfigs | AlterConfigs | IdempotentWrite;
    public const int OnGroup = Read | Describe | Delete | DescribeConfigs | AlterConfigs;
}
