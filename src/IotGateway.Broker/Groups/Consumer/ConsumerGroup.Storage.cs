using IotGateway.Broker.Groups.Core;
using IotGateway.Broker.Groups.Storage;

namespace IotGateway.Broker.Groups.Consumer;

/// <summary>
/// Keeping. What changed is marked; a write takes everything marked at its turn, and marks it again when it failed, so that whatever
/// is on disk is one state of the whole group.
/// </summary>
internal sealed partial class ConsumerGroup
{
    readonly HashSet<string> dirty = new(StringComparer.Ordinal);
    bool headerDirty = true;

    bool IsDirty => headerDirty || dirty.Count > 0;

    public override IEnumerable<TableWrite> Tombstones()
    {
        // Members that left but whose rows may still be there are among the dirty ones.
        var ids = members.Keys.Union(dirty);
        return [new(GroupTables.Consumer, GroupTables.Key(group.Id), null), .. ids.Select(DeleteRow)];
    }

    void MarkDirty(string memberId) => dirty.Add(memberId);

    void Save(Action<bool> done)
    {
        if (replaced)
        {
            group.Write([], done); // what there is to keep is the successor's
            return;
        }
        HashSet<string> taken = [];
        var header = false;
        group.Write(() =>
        {
            (taken, header) = ([.. dirty], headerDirty);
            dirty.Clear();
            headerDirty = false;
            List<TableWrite> entries = [];
            if (header)
                entries.Add(new(GroupTables.Consumer, GroupTables.Key(group.Id), ConsumerRecord.WriteHeader(groupEpoch, targetEpoch, topics.Values)));
            foreach (var id in taken)
                entries.Add(members.TryGetValue(id, out var member) ? new(GroupTables.ConsumerMembers, RowKey(id), ConsumerRecord.WriteMember(member)) : DeleteRow(id));
            return entries;
        }, durable =>
        {
            if (!durable)
            {
                dirty.UnionWith(taken);
                headerDirty |= header;
            }
            done(durable);
        });
    }

    /// <summary>Takes up what was kept. Members go on under their epochs; they must show themselves within a session.</summary>
    public void Load(ReadOnlyMemory<byte> header)
    {
        (groupEpoch, targetEpoch, var kept) = ConsumerRecord.ReadHeader(header);
        topics = kept.ToDictionary(topic => topic.Name, StringComparer.Ordinal);
        headerDirty = false;
    }

    /// <inheritdoc cref="Load(ReadOnlyMemory{byte})"/>
    public void Load(ConsumerMember member)
    {
        // The topics it read are those of the group that it asked for: a look that finds the same is no change.
        var asked = member.Pattern is { } pattern ? member.TopicNames.Union(topics.Keys.Where(pattern.Matches)) : member.TopicNames;
        member.Topics = [.. asked.Where(topics.ContainsKey).Order(StringComparer.Ordinal)];
        members[member.Id] = member;
        if (member.InstanceId is { } instance) statics[instance] = member.Id;
        Own(member);
        KeepAlive(member);
        if (member.State != ReconcileState.Revoking) return;
        group.Arm(member.RevocationDeadline = Now + member.RebalanceTimeoutMs);
    }

    byte[] RowKey(string memberId) => GroupTables.Key(group.Id, memberId);

    TableWrite DeleteRow(string memberId) => new(GroupTables.ConsumerMembers, RowKey(memberId), null);
}
