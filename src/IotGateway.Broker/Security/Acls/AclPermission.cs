namespace IotGateway.Broker.Security.Acls;

/// <summary>What an ACL does, by Kafka's codes (AclPermissionType). ANY is for filters.</summary>
internal enum AclPermission : sbyte
{
    Unknown = 0,
    Any = 1,
    Deny = 2,
    Allow = 3,
}
