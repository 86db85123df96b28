using IotGateway.Broker.Groups.Core;
using IotGateway.Broker.Groups.Storage;

namespace IotGateway.Broker.Groups.Offsets;

/// <summary>Commits, deletes and fetches offsets. Thread-safe; topics are looked up outside of the group.</summary>
internal sealed class OffsetCommits(GroupRegistry groups, GroupEnvironment environment)
{
    public async Task<OffsetResult> CommitAsync(OffsetCommitCall call)
    {
        var plan = Check(call, out var verdicts);
        if (call.GenerationOrEpoch < 0 && plan.Count > 0)
            return await groups.Enter(call.GroupId, group => Commit(group, call, plan, verdicts)).ConfigureAwait(false);
        if (groups.TryEnter(call.GroupId, group => Commit(group, call, plan, verdicts), out var committed))
            return await committed.ConfigureAwait(false);
        // From version 9 on, the version of KIP-848, clients know the newer error.
        return call.GenerationOrEpoch < 0 ? new(GroupError.None, verdicts)
            : Refuse(call, call.ApiVersion >= 9 ? GroupError.GroupIdNotFound : GroupError.IllegalGeneration);
    }

    public OffsetFetchResult Fetch(OffsetFetchCall call)
    {
        var error = GroupError.None;
        IReadOnlyList<(string Topic, int Partition, CommittedOffset Offset)> found = [];
        groups.TryEnter(call.GroupId, group =>
        {
            error = group.Members.CheckFetch(call);
            if (error == GroupError.None) found = [.. Wanted(group.Offsets, call.Topics)];
            return true;
        }, out _);
        if (error != GroupError.None) return new(call.GroupId, error, []);

        // An offset of a topic that was deleted, and perhaps made anew, is nobody's.
        var live = found.Where(entry => environment.Topics.Find(entry.Topic)?.Id == entry.Offset.TopicId)
            .ToDictionary(entry => (entry.Topic, entry.Partition), entry => entry.Offset);
        var asked = call.Topics ?? [.. live.Keys.GroupBy(key => key.Topic, key => key.Partition).Select(topic => new TopicItems<int>(topic.Key, [.. topic]))];
        return new(call.GroupId, GroupError.None, Map(asked, (topic, partition) => call.Unstable?.Contains((topic, partition)) == true
            ? new FetchedOffset(partition, -1, -1, "", GroupError.UnstableOffsetCommit)
            : live.TryGetValue((topic, partition), out var offset)
            ? new FetchedOffset(partition, offset.Offset, offset.LeaderEpoch, offset.Metadata, GroupError.None)
            : new FetchedOffset(partition, -1, -1, "", GroupError.None)));
    }

    public async Task<OffsetResult> DeleteAsync(OffsetDeleteCall call)
        => groups.TryEnter(call.GroupId, group => Delete(group, call), out var deleted)
            ? await deleted.ConfigureAwait(false)
            : new(GroupError.GroupIdNotFound, []);

    /// <summary>What of a transaction's offsets can be kept until its end. The group is not asked, nothing is written.</summary>
    public (IReadOnlyList<TopicItems<PartitionError>> Verdicts, IReadOnlyList<(string Topic, int Partition, CommittedOffset Offset)> Offsets) PlanTransactional(OffsetCommitCall call)
    {
        var plan = Check(call, out var verdicts);
        return (verdicts, [.. plan.Select(item => (item.Topic, item.Partition, item.Offset))]);
    }

    /// <summary>Whether the group lets a transaction commit its offsets; one that is not there has no members to ask.</summary>
    public GroupError CheckTransactional(OffsetCommitCall call)
    {
        if (!groups.TryEnter(call.GroupId, Ask, out var error)) error = call.GenerationOrEpoch < 0 ? GroupError.None : GroupError.IllegalGeneration;
        return error == GroupError.StaleMemberEpoch ? GroupError.IllegalGeneration : error; // the newer one is not known to producers

        GroupError Ask(Group group) => group.Deleting ? GroupError.CoordinatorLoadInProgress : group.Members.CheckCommit(call, transactional: true);
    }

    /// <summary>
    /// Shows offsets that are durable already, written with the end of their transaction. One that the group itself has committed since stays.
    /// </summary>
    public void Committed(string groupId, IReadOnlyList<(string Topic, int Partition, CommittedOffset Offset)> offsets) => groups.Enter(groupId, group =>
    {
        foreach (var (topic, partition, offset) in offsets)
            if (group.Offsets.Find(topic, partition) is not { } known || known.CommittedAt <= offset.CommittedAt) group.Offsets.Set(topic, partition, offset);
        return true;
    });

    static IEnumerable<(string, int, CommittedOffset)> Wanted(GroupOffsets offsets, IReadOnlyList<TopicItems<int>>? topics)
    {
        if (topics is null) return offsets.All;
        return topics.SelectMany(topic => topic.Partitions.Distinct()
            .Select(partition => (topic.Topic, partition, offsets.Find(topic.Topic, partition)!))
            .Where(entry => entry.Item3 is not null)).DistinctBy(entry => (entry.Item1, entry.Item2));
    }

    /// <summary>What can be committed, and for each partition asked for whether it can.</summary>
    List<Planned> Check(OffsetCommitCall call, out IReadOnlyList<TopicItems<PartitionError>> verdicts)
    {
        List<Planned> plan = [];
        var now = environment.Clock.Kept;
        var expires = call.RetentionMs < 0 ? -1 : now + call.RetentionMs;
        List<TopicItems<PartitionError>> all = [];
        foreach (var asked in call.Topics)
        {
            var topic = environment.Topics.Find(asked.Topic);
            List<PartitionError> errors = [];
            foreach (var item in asked.Partitions)
            {
                var error = topic is not { } known || item.Partition < 0 || item.Partition >= known.Partitions ? GroupError.UnknownTopicOrPartition
                    : item.Metadata?.Length > environment.Options.OffsetMetadataMaxBytes ? GroupError.OffsetMetadataTooLarge
                    : GroupError.None;
                errors.Add(new(item.Partition, error));
                if (error == GroupError.None)
                    plan.Add(new(asked.Topic, item.Partition, new(item.Offset, item.LeaderEpoch, item.Metadata ?? "", topic!.Value.Id, now, expires)));
            }
            all.Add(new(asked.Topic, errors));
        }
        verdicts = all;
        return plan;
    }

    static Task<OffsetResult> Commit(
        Group group, OffsetCommitCall call, List<Planned> plan, IReadOnlyList<TopicItems<PartitionError>> verdicts)
    {
        var error = group.Deleting ? GroupError.CoordinatorLoadInProgress : group.Members.CheckCommit(call, transactional: false);
        if (error != GroupError.None) return Task.FromResult(Refuse(call, error));
        if (plan.Count == 0) return Task.FromResult(new OffsetResult(GroupError.None, verdicts));
        TaskCompletionSource<OffsetResult> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        group.Write([.. plan.Select(item => GroupTables.PutOffset(group.Id, item.Topic, item.Partition, item.Offset))], durable =>
        {
            if (!durable)
            {
                answer.TrySetResult(Refuse(call, GroupError.CoordinatorNotAvailable));
                return;
            }
            foreach (var item in plan) group.Offsets.Set(item.Topic, item.Partition, item.Offset);
            answer.TrySetResult(new(GroupError.None, verdicts));
        });
        return answer.Task;
    }

    static Task<OffsetResult> Delete(Group group, OffsetDeleteCall call)
    {
        group.CatchUp();
        var error = group.Deleting ? GroupError.CoordinatorLoadInProgress : group.Members.CheckOffsetDelete();
        if (error != GroupError.None) return Task.FromResult(new OffsetResult(error, []));
        List<(string Topic, int Partition)> going = [];
        var verdicts = Map(call.Topics, (topic, partition) =>
        {
            if (group.Members.IsSubscribed(topic)) return new PartitionError(partition, GroupError.GroupSubscribedToTopic);
            going.Add((topic, partition));
            return new PartitionError(partition, GroupError.None);
        });
        if (going.Count == 0) return Task.FromResult(new OffsetResult(GroupError.None, verdicts));
        TaskCompletionSource<OffsetResult> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        group.Write([.. going.Select(item => GroupTables.DeleteOffset(group.Id, item.Topic, item.Partition))], durable =>
        {
            if (durable)
                foreach (var (topic, partition) in going) group.Offsets.Remove(topic, partition);
            answer.TrySetResult(durable ? new(GroupError.None, verdicts) : new(GroupError.CoordinatorNotAvailable, []));
        });
        return answer.Task;
    }

    static OffsetResult Refuse(OffsetCommitCall call, GroupError error)
        => new(error, [.. call.Topics.Select(topic => new TopicItems<PartitionError>(
            topic.Topic, [.. topic.Partitions.Select(item => new PartitionError(item.Partition, error))]))]);

    static IReadOnlyList<TopicItems<T>> Map<T>(IReadOnlyList<TopicItems<int>> topics, Func<string, int, T> item)
        => [.. topics.Select(topic => new TopicItems<T>(topic.Topic, [.. topic.Partitions.Select(partition => item(topic.Topic, partition))]))];

    readonly record struct Planned(string Topic, int Partition, CommittedOffset Offset);
}
