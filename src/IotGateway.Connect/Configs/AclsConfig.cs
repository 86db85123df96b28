using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>Who may do what over the Kafka protocol; the ACLs themselves are made with Kafka's own tools.</summary>
public sealed record AclsConfig : IValidatableObject
{
    [Option("Checks every Kafka request against ACLs (Kafka's authorizer.class.name).")]
    public bool Enabled { get; init; }

    [Option("Principals that may do everything (Kafka's super.users), among them who makes the first ACL.", Example = "User:admin")]
    public IReadOnlyList<string> SuperUsers { get; init; } = [];

    [Option("Whether a resource that no ACL covers is open to everyone (Kafka's allow.everyone.if.no.acl.found).")]
    public bool AllowEveryoneIfNoAclFound { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        for (var i = 0; i < SuperUsers.Count; i++)
            if (!IsPrincipal(SuperUsers[i]))
                yield return new("A principal is written Type:name, such as User:admin.", [$"{nameof(SuperUsers)}[{i}]"]);
        if (Enabled && SuperUsers.Count == 0 && !AllowEveryoneIfNoAclFound)
            yield return new("Nobody could make the first ACL: name a super user, such as User:admin (User:ANONYMOUS without authentication).", [nameof(SuperUsers)]);
    }

    static bool IsPrincipal(string text) => text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon && colon < text.Length - 1;
}
