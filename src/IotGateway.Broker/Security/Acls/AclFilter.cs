namespace IotGateway.Broker.Security.Acls;

/// <summary>Which ACLs are meant (Kafka's AclBindingFilter): ANY or null matches all of its field. Immutable.</summary>
internal sealed record AclFilter(ResourceType Type, string? Name, PatternType Pattern, string? Principal, string? Host, AclOperation Operation, AclPermission Permission)
{
    /// <summary>Whether every code in it is one this broker knows; others come from newer clients, and mean no ACL there is.</summary>
    public bool IsKnown => Enum.IsDefined(Type) && Enum.IsDefined(Pattern) && Enum.IsDefined(Operation) && Enum.IsDefined(Permission);

    /// <summary>Whether a code in it is UNKNOWN, which is for readers: nobody may write it.</summary>
    public bool IsMalformed => Type == ResourceType.Unknown || Pattern == PatternType.Unknown || Operation == AclOperation.Unknown || Permission == AclPermission.Unknown;

    /// <summary>Whether it means this one.</summary>
    public bool Matches(Acl acl)
        => (Type == ResourceType.Any || Type == acl.Type) && MatchesName(acl)
            && (Principal is null || Principal == acl.Principal) && (Host is null || Host == acl.Host)
            && (Operation == AclOperation.Any || Operation == acl.Operation) && (Permission == AclPermission.Any || Permission == acl.Permission);

    bool MatchesName(Acl acl) => Pattern switch
    {
        PatternType.Match => Name is null || acl.Covers(Name),
        PatternType.Any => Name is null || Name == acl.Name,
        _ => Pattern == acl.Pattern && (Name is null || Name == acl.Name),
    };
}
