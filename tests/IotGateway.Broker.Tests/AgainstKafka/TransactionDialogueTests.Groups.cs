using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Groups that transactions make: from the first offset on, though it is pending, such a group is there as one that has committed.</summary>
public sealed partial class TransactionDialogueTests
{
    static readonly (string Who, string? Instance, int Generation)[] Members =
        [.. from who in new[] { "", "nobody" } from instance in new[] { null, "instance" } from generation in new[] { -1, 0, 5 } select (who, instance, generation)];

    [Fact]
    public async Task Groups_of_which_only_transactions_know_are_asked_for_their_members_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("u", 2));
        d.Deviates(ApiKey.DescribeTransactions, @"__consumer_offsets|\.Topics = \[\]$", "groups live in the log's own tables");
        for (short v = 3; v <= 5; v++)
        {
            foreach (var (who, instance, generation) in Members)
            {
                var name = $"{v}.{who}.{instance}.{generation}";
                foreach (var there in new[] { "unknown", "committed", "pending", "aborted" })
                {
                    var (id, group) = ($"{there}.{name}", $"{there}.{name}");
                    await talk.InitAsync("p", id);
                    if (v < 5) await talk.AddGroupAsync(id, "p", group);
                    if (there == "committed") await CommitAsync(group, -1);
                    if (there is "pending" or "aborted") await talk.OffsetsAsync(id, "p", group, v, "u", 1, 1);
                    if (there == "aborted")
                    {
                        await talk.EndAsync(id, "p", false, 5);
                        await talk.SettledAsync(id);
                        if (v < 5) await talk.AddGroupAsync(id, "p", group);
                    }
                    await talk.OffsetsAsync(id, "p", group, v, "u", 0, 5, _ => who, generation, instance);
                    await talk.SettledAsync(id);
                    await TellAsync(group);
                    if (generation >= 0) await CommitAsync(group, generation, who, instance);
                    await talk.EndAsync(id, "p", true, 5);
                    await talk.SettledAsync(id);
                    await talk.CommittedAsync(group, "u", 2);
                    await TellAsync(group);
                }
            }
        }
        d.Judge();

        Task CommitAsync(string group, int generation, string who = "", string? instance = null) => d.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(_ => new()
        {
            GroupId = group, GenerationIdOrMemberEpoch = generation, MemberId = who, GroupInstanceId = instance, Topics = [new() { Name = "u", Partitions = [new() { PartitionIndex = 1, CommittedOffset = 1 }] }],
        }, 9);

        Task TellAsync(string group) => d.AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(_ => new() { Groups = [group] }, 6);
    }

    [Fact]
    public async Task Transactions_are_asked_before_their_groups_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("v", 2));
        d.Deviates(ApiKey.DescribeTransactions, @"__consumer_offsets|\.Topics = \[\]$", "groups live in the log's own tables");
        for (short v = 3; v <= 5; v++)
        {
            var (id, group) = ($"order.{v}", $"order.{v}");
            await talk.InitAsync("p", id);
            if (v < 5) await OffsetsAsync(group, "p");                                                   // not added
            if (v < 5) await talk.AddGroupAsync(id, "p", group);
            else await OffsetsAsync(group, "p", ("nowhere", 0), ("v", 2), ("v", -1));                    // nothing that is known: nothing is begun
            await talk.SettledAsync(id);
            foreach (var generation in new[] { -1, 5 })
            {
                foreach (var who in new Who[] { new("p", Epoch: 1), new("p", Epoch: -1), new("p", Id: 100_000) })
                {
                    await OffsetsAsync(group, who, ("nowhere", 0), ("v", 0), ("v", 2));
                    await OffsetsAsync("", who, ("nowhere", 0), ("v", 0));
                    await talk.OffsetsAsync(id, who, group, v, "v", 0, 1, _ => "nobody", generation, metadata: new('m', 5000));
                }
                await talk.OffsetsAsync("nobody", "p", group, v, "v", 0, 1, _ => "nobody", generation);
                await OffsetsAsync("", "p", ("nowhere", 0), ("v", 0));
                await OffsetsAsync("", "p", ("nowhere", 0));
                await talk.SettledAsync(id);
                await TellAsync(group);
                await talk.OffsetsAsync(id, "p", group, v, "v", 0, 1, _ => "nobody", 5, metadata: new('m', 5000));
                await talk.SettledAsync(id);
                await TellAsync(group);
            }
            d.Deviates(ApiKey.TxnOffsetCommit, @"\.ErrorCode = (22|25)$", "where nothing can be kept no group is made; in Kafka there is one then that only the next commit sees");
            await talk.OffsetsAsync(id, "p", group, v, "v", 0, 1, metadata: new('m', 5000));
            await TellAsync(group);
            await talk.OffsetsAsync(id, "p", group, v, "v", 0, 1, _ => "nobody", 5);
            d.Agrees(ApiKey.TxnOffsetCommit);
            await OffsetsAsync(group, "p", ("nowhere", 0), ("v", 0), ("v", 1), ("v", 2));
            await talk.CommittedAsync(group, "v", 2);
            await talk.EndAsync(id, "p", true, 5);
            await talk.SettledAsync(id);
            await talk.CommittedAsync(group, "v", 2);

            Task OffsetsAsync(string to, Who who, params (string Topic, int Partition)[] partitions) => d.AskAsync<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(side => new()
            {
                TransactionalId = id, ProducerId = who.On(side).Id, ProducerEpoch = who.On(side).Epoch, GroupId = to, MemberId = "", GenerationId = -1,
                Topics = [.. partitions.GroupBy(p => p.Topic, p => p.Partition).Select(t => new TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic { Name = t.Key, Partitions = [.. t.Select(p => new TxnOffsetCommitRequest.TxnOffsetCommitRequestPartition { PartitionIndex = p, CommittedOffset = 3 })] })],
            }, v, byName: true);
        }
        d.Judge();

        Task TellAsync(string group) => d.AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(_ => new() { Groups = [group] }, 6);
    }
}
