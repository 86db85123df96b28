namespace IotGateway.Broker;

/// <summary>Who may do what without an ACL that says so; with it, every request is checked.</summary>
public sealed record AclOptions
{
    /// <summary>Principals that may do everything, <c>User:admin</c> (<c>super.users</c>).</summary>
    public IReadOnlyList<string> SuperUsers { get; init; } = [];

    /// <summary>Whether a resource that no ACL covers is open to everyone (<c>allow.everyone.if.no.acl.found</c>).</summary>
    public bool AllowEveryoneIfNoAclFound { get; init; }
}
