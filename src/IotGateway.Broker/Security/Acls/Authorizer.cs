namespace IotGateway.Broker.Security.Acls;

/// <summary>Decides by the ACLs in force, as Kafka's StandardAuthorizer does (KIP-801). Thread-safe; answers from memory.</summary>
internal sealed class Authorizer(AclOptions options, AclStore store)
{
    /// <summary>A name that no ACL is likely to cover by itself, as Kafka's own look at a whole type uses one.</summary>
    const string AnyName = "hardcode";
    static readonly AclOperation[] OnTopic = [AclOperation.Read, AclOperation.Write, AclOperation.Create, AclOperation.Delete, AclOperation.Alter, AclOperation.Describe, AclOperation.DescribeConfigs, AclOperation.AlterConfigs];
    static readonly AclOperation[] OnGroup = [AclOperation.Read, AclOperation.Describe, AclOperation.Delete, AclOperation.DescribeConfigs, AclOperation.AlterConfigs];
    static readonly AclOperation[] OnCluster = [AclOperation.Create, AclOperation.Alter, AclOperation.Describe, AclOperation.ClusterAction, AclOperation.DescribeConfigs, AclOperation.AlterConfigs, AclOperation.IdempotentWrite];
    volatile Rules _rules = new([.. options.SuperUsers], options.AllowEveryoneIfNoAclFound);

    /// <summary>The ACLs it decides by.</summary>
    public AclStore Store => store;

    /// <summary>Goes by these options from now on.</summary>
    public void Reconfigure(AclOptions next) => _rules = new([.. next.SuperUsers], next.AllowEveryoneIfNoAclFound);

    /// <summary>Whether the principal may do this to the resource of that name.</summary>
    public bool Allows(Principal principal, string host, AccessRule rule, string name)
    {
        var (who, rules) = (principal.ToString(), _rules);
        if (rules.SuperUsers.Contains(who)) return true;
        var verdict = store.Current.Ask(new(who, host, rule.Operation, rule.Type), name);
        return verdict == AclVerdict.Silent ? rules.AllowEveryone : verdict == AclVerdict.Allowed;
    }

    /// <summary>Whether the principal may do this to any resource of the kind.</summary>
    public bool AllowsSome(Principal principal, string host, AccessRule rule)
        => Allows(principal, host, rule, AnyName) || store.Current.AllowsSome(new(principal.ToString(), host, rule.Operation, rule.Type));

    /// <summary>Bit set of what may be done to a kind of resource (KIP-430): bit n is operation n.</summary>
    public static int Operations(ResourceType type, Func<AclOperation, bool> may)
    {
        var bits = 0;
        foreach (var operation in type switch { ResourceType.Topic => OnTopic, ResourceType.Group => OnGroup, _ => OnCluster })
            if (may(operation)) bits |= 1 << (int)operation;
        return bits;
    }

    sealed record Rules(HashSet<string> SuperUsers, bool AllowEveryone);
}
