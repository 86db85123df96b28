using IotGateway.Broker.Groups.Classic;
using IotGateway.Broker.Groups.Core;

namespace IotGateway.Broker.Groups;

/// <summary>Describing, listing and deleting groups; also the one with the empty id, which nobody can join but whose offsets can be committed.</summary>
internal sealed partial class GroupCoordinator
{
    /// <summary>Deletes empty groups with their offsets.</summary>
    public async Task<IReadOnlyList<DeletedGroup>> DeleteGroupsAsync(IReadOnlyList<string> groupIds)
    {
        var deletions = groupIds.Select(async id => new DeletedGroup(id,
            stopped ? GroupError.CoordinatorNotAvailable : await cleaner.DeleteAsync(id).ConfigureAwait(false))).ToArray();
        return await Task.WhenAll(deletions).ConfigureAwait(false);
    }

    /// <summary>Describes classic groups; one that is not there is "Dead" up to version 5, GROUP_ID_NOT_FOUND from 6.</summary>
    public IReadOnlyList<DescribedGroup> Describe(IReadOnlyList<string> groupIds, int apiVersion) => [.. groupIds.Select(id => stopped
        ? new() { GroupId = id, Error = GroupError.CoordinatorNotAvailable }
        : DescribeClassic(id) ?? NotClassic(id, apiVersion))];

    /// <summary>Lists groups; an empty filter lets all pass. Filters ignore case.</summary>
    public IReadOnlyList<ListedGroup> List(IReadOnlyList<string> states, IReadOnlyList<string> types)
    {
        List<ListedGroup> listed = [];
        foreach (var candidate in groups.All)
        {
            if (groups.TryEnter(candidate, Tell, out var item)
                && Passes(states, item.State) && Passes(types, item.Type)) listed.Add(item);
        }
        listed.Sort(static (a, b) => string.CompareOrdinal(a.GroupId, b.GroupId));
        return listed;
    }

    static ListedGroup Tell(Group group)
    {
        group.CatchUp();
        return new(group.Id, group.Members.ProtocolType, group.Members.State, group.Members.Type);
    }

    DescribedGroup? DescribeClassic(string id) => groups.TryEnter(id, group =>
    {
        group.CatchUp();
        return (group.Members as ClassicGroup)?.Describe();
    }, out var described) ? described : null;

    static bool Passes(IReadOnlyList<string> filter, string value)
        => filter.Count == 0 || filter.Contains(value, StringComparer.OrdinalIgnoreCase);

    static DescribedGroup NotClassic(string id, int apiVersion) => apiVersion >= 6
        ? new() { GroupId = id, State = "Dead", Error = GroupError.GroupIdNotFound, ErrorMessage = $"Group {id} not found." }
        : new() { GroupId = id, State = "Dead" };
}
