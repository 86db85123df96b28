namespace IotGateway.Broker.Security.Acls;

/// <summary>What the ACLs say to one question.</summary>
internal enum AclVerdict
{
    /// <summary>No ACL covers the resource.</summary>
    Silent,

    /// <summary>One allows it and none denies it.</summary>
    Allowed,

    /// <summary>One denies it, or some cover the resource and none allows it.</summary>
    Denied,
}

/// <summary>
/// All ACLs at one moment, found by the resource they cover: by name, by wildcard, and by each length of prefix there is. Immutable, so
/// that questions need no lock. The rules are those of Kafka's StandardAuthorizer (KIP-801).
/// </summary>
internal sealed class AclIndex
{
    readonly Dictionary<(ResourceType Type, string Name), List<Acl>> _literal = [];
    readonly Dictionary<(ResourceType Type, string Name), List<Acl>> _prefixed = [];
    readonly Dictionary<ResourceType, int[]> _lengths;

    public AclIndex(IEnumerable<Acl> acls)
    {
        foreach (var acl in acls)
        {
            if (!All.Add(acl)) continue;
            var places = acl.Pattern == PatternType.Prefixed ? _prefixed : _literal;
            if (places.TryGetValue((acl.Type, acl.Name), out var others)) others.Add(acl);
            else places[(acl.Type, acl.Name)] = [acl];
        }
        _lengths = _prefixed.Keys.GroupBy(k => k.Type, k => k.Name.Length).ToDictionary(g => g.Key, g => g.Distinct().Order().ToArray());
    }

    /// <summary>All of them; not to be changed.</summary>
    public HashSet<Acl> All { get; } = [];

    /// <summary>Whether somebody may do something to the resource of that name.</summary>
    public AclVerdict Ask(AclQuestion question, string name)
    {
        var answer = new Answer();
        answer.Weigh(question, _literal.GetValueOrDefault((question.Type, Acl.Wildcard)));
        if (name != Acl.Wildcard) answer.Weigh(question, _literal.GetValueOrDefault((question.Type, name)));
        foreach (var length in _lengths.GetValueOrDefault(question.Type) ?? [])
        {
            if (length > name.Length) break;
            answer.Weigh(question, _prefixed.GetValueOrDefault((question.Type, name[..length])));
        }
        return answer.Verdict;
    }

    /// <summary>
    /// Whether there is any resource of the type to which somebody may do it (KIP-679): a permission counts unless a denial covers all of it.
    /// </summary>
    public bool AllowsSome(AclQuestion question)
    {
        var concerned = All.Where(a => a.Type == question.Type && question.Concerns(a) && (a.Operation == question.Operation || a.Operation == AclOperation.All))
            .ToLookup(a => a.Permission);
        var denied = concerned[AclPermission.Deny].ToList();
        if (denied.Exists(IsWildcard)) return false;
        return concerned[AclPermission.Allow].Any(allowed => IsWildcard(allowed) || !denied.Exists(d => Dominates(d, allowed)));
    }

    static bool IsWildcard(Acl acl) => acl is { Pattern: PatternType.Literal, Name: Acl.Wildcard };

    static bool Dominates(Acl denied, Acl allowed) => denied.Pattern == PatternType.Prefixed
        ? allowed.Name.StartsWith(denied.Name, StringComparison.Ordinal)
        : allowed.Pattern == PatternType.Literal && allowed.Name == denied.Name;

    /// <summary>What was found so far.</summary>
    struct Answer
    {
        bool _covered, _allowed, _denied;

        public readonly AclVerdict Verdict => _denied ? AclVerdict.Denied : _allowed ? AclVerdict.Allowed : _covered ? AclVerdict.Denied : AclVerdict.Silent;

        public void Weigh(AclQuestion question, List<Acl>? acls)
        {
            if (acls is null) return;
            _covered = true;
            foreach (var acl in acls)
            {
                if (!question.Concerns(acl)) continue;
                if (acl.Permission == AclPermission.Deny) _denied |= question.IsDeniedBy(acl.Operation);
                else _allowed |= question.IsAllowedBy(acl.Operation);
            }
        }
    }
}
