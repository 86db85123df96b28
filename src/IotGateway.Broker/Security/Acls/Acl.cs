using IotGateway.Broker.Groups.Storage;

namespace IotGateway.Broker.Security.Acls;

/// <summary>One access control entry (Kafka's AclBinding). Immutable; compared by value.</summary>
/// <param name="Type">What it protects.</param>
/// <param name="Name">The name, or the start of names.</param>
/// <param name="Pattern">Literal or prefixed.</param>
/// <param name="Principal">Whom it concerns, <c>User:mes</c>; <c>User:*</c> is everybody.</param>
/// <param name="Host">From which address; <c>*</c> is every one.</param>
/// <param name="Operation">What it is about.</param>
/// <param name="Permission">Allow or deny.</param>
internal sealed record Acl(ResourceType Type, string Name, PatternType Pattern, string Principal, string Host, AclOperation Operation, AclPermission Permission)
{
    /// <summary>Every name, principal's name or host.</summary>
    public const string Wildcard = "*";

    /// <summary>The only name of the cluster as a resource.</summary>
    public const string Cluster = "kafka-cluster";

    /// <summary>Whether it covers that name.</summary>
    public bool Covers(string name) => Pattern == PatternType.Prefixed
        ? name.StartsWith(Name, StringComparison.Ordinal)
        : Name == name || Name == Wildcard;

    /// <summary>What keeps it from being made, in the order Apache Kafka looks; null when nothing does.</summary>
    public string? Fault()
    {
        if (Type == ResourceType.Cluster && Name != Cluster) return $"The only name of the cluster is '{Cluster}', not '{Name}'.";
        if (Name.Length == 0) return "The resource has no name.";
        if (Type == ResourceType.Any) return "An ACL protects one type of resource, not ANY.";
        if (Pattern is not (PatternType.Literal or PatternType.Prefixed)) return $"The pattern of an ACL is LITERAL or PREFIXED, not {Pattern.ToString().ToUpperInvariant()}.";
        if (Operation == AclOperation.Any) return "An ACL is about one operation or ALL, not ANY.";
        if (Permission == AclPermission.Any) return "An ACL allows or denies; ANY is for filters.";
        return Principal.Contains(':', StringComparison.Ordinal) ? null : $"'{Principal}' is no principal: it is written Type:name, such as User:mes.";
    }

    /// <summary>Its key in the durable table: type, pattern, operation and permission (a byte each), then name, principal and host.</summary>
    public byte[] ToKey() => GroupTables.Bytes(writer =>
    {
        writer.Write((sbyte)Type);
        writer.Write((sbyte)Pattern);
        writer.Write((sbyte)Operation);
        writer.Write((sbyte)Permission);
        writer.Write(Name);
        writer.Write(Principal);
        writer.Write(Host);
    });

    /// <summary>Reads <see cref="ToKey"/>.</summary>
    public static Acl FromKey(ReadOnlyMemory<byte> key)
    {
        using var reader = GroupTables.Reader(key);
        var (type, pattern, operation, permission) = ((ResourceType)reader.ReadSByte(), (PatternType)reader.ReadSByte(), (AclOperation)reader.ReadSByte(), (AclPermission)reader.ReadSByte());
        return new(type, reader.ReadString(), pattern, reader.ReadString(), reader.ReadString(), operation, permission);
    }
}
