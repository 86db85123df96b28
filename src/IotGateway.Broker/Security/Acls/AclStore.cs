using IotGateway.Log;

namespace IotGateway.Broker.Security.Acls;

/// <summary>
/// The ACLs, in the log's durable table <c>broker.acls</c> (key: <see cref="Acl.ToKey"/>, value: a version byte, 1). A change is one frame and in
/// force when that is durable; changes take turns. Thread-safe.
/// </summary>
internal sealed class AclStore : IDisposable
{
    const string Table = "broker.acls";
    static readonly byte[] Version = [1];
    readonly LogStore _log;
    readonly SemaphoreSlim _turn = new(1, 1);

    /// <exception cref="InvalidDataException">A later gateway wrote them.</exception>
    public AclStore(LogStore log)
    {
        _log = log;
        var kept = log.Scan(Table);
        if (kept.Any(e => !e.Value.Span.SequenceEqual(Version)))
            throw new InvalidDataException("The ACLs are kept in a format this gateway does not read. Run the newer gateway.");
        Current = new(kept.Select(e => Acl.FromKey(e.Key)));
    }

    /// <summary>The ACLs in force.</summary>
    public AclIndex Current { get; private set => Volatile.Write(ref field, value); }

    /// <summary>Adds ACLs; those that are there already are left as they are.</summary>
    /// <exception cref="IOException">The log takes nothing; no ACL was changed.</exception>
    public async ValueTask AddAsync(IReadOnlyCollection<Acl> acls, CancellationToken ct)
        => await ChangeAsync(current => (acls.Where(a => !current.Contains(a)).ToHashSet(), []), ct);

    /// <summary>Removes all that the filters mean, in one step; what each of them meant, in their order.</summary>
    /// <exception cref="IOException">The log takes nothing; no ACL was changed.</exception>
    public async ValueTask<IReadOnlyList<IReadOnlyList<Acl>>> RemoveAsync(IReadOnlyList<AclFilter> filters, CancellationToken ct)
    {
        var meant = new List<IReadOnlyList<Acl>>();
        await ChangeAsync(current =>
        {
            meant.AddRange(filters.Select(f => current.Where(f.Matches).ToList()));
            return ([], meant.SelectMany(m => m).ToHashSet());
        }, ct);
        return meant;
    }

    public void Dispose() => _turn.Dispose();

    async ValueTask ChangeAsync(Func<HashSet<Acl>, (HashSet<Acl> Added, HashSet<Acl> Removed)> change, CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            var (added, removed) = change(Current.All);
            if (added.Count + removed.Count == 0) return;
            // A full disk must not keep an administrator from taking a right away.
            var unit = new LogUnit { Reserved = true };
            foreach (var acl in added) unit.Put(Table, acl.ToKey(), Version);
            foreach (var acl in removed) unit.Put(Table, acl.ToKey(), (ReadOnlyMemory<byte>?)null);
            // Not cancellable: whether it was written must be known before the next change.
            await _log.CommitAsync(unit, CancellationToken.None);
            Current = new(Current.All.Except(removed).Concat(added));
        }
        finally
        {
            _turn.Release();
        }
    }
}
