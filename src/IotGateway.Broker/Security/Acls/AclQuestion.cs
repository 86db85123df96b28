namespace IotGateway.Broker.Security.Acls;

/// <summary>Who wants to do what, from where. Immutable.</summary>
/// <param name="Principal">Who, <c>User:mes</c>.</param>
/// <param name="Host">The client's address as Java writes it, without a slash.</param>
/// <param name="Operation">What.</param>
/// <param name="Type">To what kind of resource.</param>
internal readonly record struct AclQuestion(string Principal, string Host, AclOperation Operation, ResourceType Type)
{
    const string Everybody = "User:*";

    /// <summary>Whether the ACL is about this principal and host.</summary>
    public bool Concerns(Acl acl) => (acl.Principal == Principal || acl.Principal == Everybody) && (acl.Host == Acl.Wildcard || acl.Host == Host);

    /// <summary>A denial denies its own operation only.</summary>
    public bool IsDeniedBy(AclOperation operation) => operation == AclOperation.All || operation == Operation;

    /// <summary>A permission may imply one to look: who reads, writes, deletes or alters may describe, who alters settings may see them.</summary>
    public bool IsAllowedBy(AclOperation operation) => operation == AclOperation.All || operation == Operation || Operation switch
    {
        AclOperation.Describe => operation is AclOperation.Read or AclOperation.Write or AclOperation.Delete or AclOperation.Alter,
        AclOperation.DescribeConfigs => operation is AclOperation.AlterConfigs,
        _ => false,
    };
}
