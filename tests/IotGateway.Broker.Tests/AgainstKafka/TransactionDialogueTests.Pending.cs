using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Groups whose offsets a transaction holds.</summary>
public sealed partial class TransactionDialogueTests
{
    [Fact]
    public async Task Groups_with_offsets_in_a_transaction_are_told_and_deleted_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("z", 2));
        (short End, short Offsets)[] protocols = [(4, 4), (5, 5)];
        foreach (var (end, offsets) in protocols)
        {
            foreach (var commit in new[] { true, false })
            {
                // Told, and taken to its end.
                var at = $"{end}.{commit}";
                var told = $"held.told.{at}";
                await BeginAsync(told, offsets);
                await TellAsync(told);
                await talk.OffsetsAsync(told, "p", told, offsets, "z", 1, 7);
                await talk.CommittedAsync(told, "z", 2);
                await EndAsync(told, commit, end);

                // An offset of the group's own, before and meanwhile.
                var mixed = $"held.mixed.{at}";
                await CommitAsync(mixed, 0, 1);
                await BeginAsync(mixed, offsets);
                await TellAsync(mixed);
                await talk.OffsetsAsync(mixed, "p", mixed, offsets, "z", 1, 7);
                await Task.Delay(5, TestContext.Current.CancellationToken);
                await CommitAsync(mixed, 1, 2);
                await TellAsync(mixed);
                await EndAsync(mixed, commit, end);

                // Of two transactions: the later offset stays, whichever ends last.
                var twice = $"held.twice.{at}";
                await BeginAsync(twice, offsets);
                await Task.Delay(5, TestContext.Current.CancellationToken);
                await talk.InitAsync("q", $"{twice}.q");
                if (offsets < 5) await talk.AddGroupAsync($"{twice}.q", "q", twice, 4);
                await talk.OffsetsAsync($"{twice}.q", "q", twice, offsets, "z", 0, 6);
                await talk.EndAsync($"{twice}.q", "q", commit, end, "q1");
                await talk.SettledAsync($"{twice}.q");
                await TellAsync(twice);
                await EndAsync(twice, true, end);

                // Offsets deleted meanwhile.
                var cut = $"held.cut.{at}";
                await CommitAsync(cut, 0, 1);
                await BeginAsync(cut, offsets);
                await talk.OffsetsAsync(cut, "p", cut, offsets, "z", 1, 7);
                await CutAsync(cut, "z", 0);
                await TellAsync(cut);
                await EndAsync(cut, commit, end);
                await CutAsync(cut, "z", 1);
                await TellAsync(cut);

                // Deleted offsets, committed anew in the same transaction.
                var anew = $"held.anew.{at}";
                await BeginAsync(anew, offsets);
                await CutAsync(anew, "z", 0);
                await talk.OffsetsAsync(anew, "p", anew, offsets, "z", 0, 8);
                await TellAsync(anew);
                await EndAsync(anew, commit, end);

                // The group deleted meanwhile.
                var gone = $"held.gone.{at}";
                await CommitAsync(gone, 1, 1);
                await BeginAsync(gone, offsets);
                await DeleteAsync(gone);
                await TellAsync(gone);
                await DeleteAsync(gone);
                await EndAsync(gone, commit, end);
                await DeleteAsync(gone);

                // And used again.
                var used = $"held.used.{at}";
                await BeginAsync(used, offsets);
                await DeleteAsync(used);
                await talk.OffsetsAsync(used, "p", used, offsets, "z", 1, 9);
                await TellAsync(used);
                await EndAsync(used, commit, end);
                await DeleteAsync(used);
            }
        }
        d.Judge();

        async Task BeginAsync(string id, short v)
        {
            await talk.InitAsync("p", id);
            if (v < 5) await talk.AddGroupAsync(id, "p", id, 4);
            await talk.OffsetsAsync(id, "p", id, v, "z", 0, 5);
        }

        async Task EndAsync(string id, bool commit, short v)
        {
            await talk.EndAsync(id, "p", commit, v, "p1");
            await talk.SettledAsync(id);
            await TellAsync(id);
        }

        async Task TellAsync(string group)
        {
            await d.AskAllAsync<DescribeGroupsRequest, DescribeGroupsResponse>((_, _) => new() { Groups = [group] }, from: 5);
            await d.AskAsync<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(_ => new() { GroupIds = [group] }, 1);
            await d.AskAsync<ListGroupsRequest, ListGroupsResponse>(_ => new(), 5, arrange: r => r.Groups.RemoveAll(g => g.GroupId != group));
            await talk.CommittedAsync(group, "z", 2);
            await d.AskAllAsync<OffsetFetchRequest, OffsetFetchResponse>((_, _) => new() { RequireStable = true, Groups = [new() { GroupId = group, Topics = null }] }, from: 8, sorted: true);
            await d.AskAllAsync<OffsetFetchRequest, OffsetFetchResponse>((_, _) => new() { RequireStable = false, Groups = [new() { GroupId = group, Topics = null }] }, from: 8, sorted: true);
        }

        Task CommitAsync(string group, int partition, long offset) => d.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(_ => new()
        {
            GroupId = group, GenerationIdOrMemberEpoch = -1, Topics = [new() { Name = "z", Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset }] }],
        }, 8);

        Task CutAsync(string group, string topic, params int[] partitions) => d.AskAsync<OffsetDeleteRequest, OffsetDeleteResponse>(_ => new()
        {
            GroupId = group, Topics = [new() { Name = topic, Partitions = [.. partitions.Select(p => new OffsetDeleteRequest.OffsetDeleteRequestPartition { PartitionIndex = p })] }],
        }, 0);

        Task DeleteAsync(string group) => d.AskAsync<DeleteGroupsRequest, DeleteGroupsResponse>(_ => new() { GroupsNames = [group] }, 2);
    }
}
