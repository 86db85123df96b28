using IotGateway.Broker.Groups.Core;
using IotGateway.Broker.Groups.Storage;

namespace IotGateway.Broker.Groups.Offsets;

/// <summary>Removes offsets that expired or whose topic is gone, and groups with nothing left that no transaction has offsets for; and groups on request.</summary>
internal sealed class OffsetCleaner(GroupRegistry groups, GroupEnvironment environment, PendingOffsets pending)
{
    /// <summary>Looks at every group. Those with writes under way are seen to after these, or at the next look.</summary>
    public void Expire()
    {
        foreach (var candidate in groups.All)
        {
            var awaited = pending.Has(candidate.Id);
            groups.TryEnter(candidate, group =>
            {
                group.WhenIdle(() => Expire(group, awaited));
                return true;
            }, out _);
        }
    }

    /// <summary>Drops the offsets of topics that are gone, or were deleted and made anew.</summary>
    public void DropDeletedTopics()
    {
        var live = environment.Topics.All.Select(topic => topic.Id).ToHashSet();
        foreach (var candidate in groups.All)
        {
            groups.TryEnter(candidate, group =>
            {
                group.WhenIdle(() => Remove(group, [.. group.Offsets.All.Where(entry => !live.Contains(entry.Offset.TopicId))]));
                return true;
            }, out _);
        }
    }

    /// <summary>Deletes the group and its offsets, if it is empty.</summary>
    public async Task<GroupError> DeleteAsync(string id)
    {
        if (!groups.TryEnter(id, BeginDelete, out var deleting)) return GroupError.GroupIdNotFound;
        return await deleting.ConfigureAwait(false);
    }

    static Task<GroupError> BeginDelete(Group group)
    {
        group.CatchUp();
        if (group.Deleting) return Task.FromResult(GroupError.CoordinatorLoadInProgress);
        if (!group.Members.IsEmpty) return Task.FromResult(GroupError.NonEmptyGroup);
        TaskCompletionSource<GroupError> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        group.Deleting = true;
        group.WhenIdle(() => Delete(group, durable => answer.TrySetResult(durable ? GroupError.None : GroupError.CoordinatorNotAvailable)));
        return answer.Task;
    }

    static void Delete(Group group, Action<bool> done)
    {
        group.Deleting = true;
        var offsets = group.Offsets.All.Select(entry => GroupTables.DeleteOffset(group.Id, entry.Topic, entry.Partition));
        group.Write([.. offsets, .. group.Members.Tombstones()], durable =>
        {
            group.Deleting = false;
            group.Removed = durable;
            done(durable);
        });
    }

    void Expire(Group group, bool awaited)
    {
        if (group.Deleting || group.Removed) return;
        var now = environment.Clock.Kept;
        var all = group.Offsets.All.ToArray();
        var expired = all.Where(entry => Expired(group, entry.Topic, entry.Offset, now)).ToArray();
        if (expired.Length == all.Length && group.Members.IsAbandoned && !awaited) Delete(group, static _ => { });
        else Remove(group, expired);
    }

    bool Expired(Group group, string topic, CommittedOffset offset, long now)
    {
        if (group.Members.RetentionBase(topic, offset) is not { } since) return false;
        return offset.ExpiresAt >= 0 ? now >= offset.ExpiresAt : now - since >= environment.Options.OffsetsRetention.TotalMilliseconds;
    }

    static void Remove(Group group, (string Topic, int Partition, CommittedOffset Offset)[] entries)
    {
        if (entries.Length == 0 || group.Deleting || group.Removed) return;
        group.Write([.. entries.Select(entry => GroupTables.DeleteOffset(group.Id, entry.Topic, entry.Partition))], durable =>
        {
            if (!durable) return; // still there, and found again at the next look
            foreach (var (topic, partition, offset) in entries) group.Offsets.Remove(topic, partition, offset);
        });
    }
}
