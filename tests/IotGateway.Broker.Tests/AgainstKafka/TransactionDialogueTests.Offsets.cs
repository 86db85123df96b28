using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Offsets in transactions, and what operators see and do: what Apache Kafka answers is what we answer.</summary>
public sealed partial class TransactionDialogueTests
{
    [Fact]
    public async Task Offsets_are_taken_and_shown_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("f", 2));
        d.Deviates(ApiKey.DescribeTransactions, @"__consumer_offsets|\.Topics = \[\]$", "groups live in the log's own tables");
        for (short v = 0; v <= 5; v++)
        {
            var (id, group) = ($"offsets.{v}", $"group.{v}");
            var end = (short)(v < 5 ? v : 5);
            foreach (var commit in new[] { true, false })
            {
                await talk.InitAsync("p", id);
                if (v < 5) await talk.OffsetsAsync(id, "p", group, v, "f", 0, 5);                // the group was not added
                await talk.CommittedAsync(group, "f", 2);
                await talk.OffsetsAsync($"nobody.{v}", "p", group, v, "f", 0, 6);
                await talk.OffsetsAsync("", "p", group, v, "f", 0, 6);
                if (v < 5) await talk.AddGroupAsync(id, "p", group);
                if (v >= 3 && commit)                                                            // a group nobody knows
                {
                    await talk.OffsetsAsync(id, "p", group, v, "f", 0, 8, generation: 3);
                    await talk.OffsetsAsync(id, "p", group, v, "f", 0, 8, _ => "nobody", 1);
                    await d.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(_ => new() { GroupId = group, GenerationIdOrMemberEpoch = -1, Topics = [new() { Name = "f", Partitions = [new() { PartitionIndex = 1, CommittedOffset = 1 }] }] }, 8);
                }
                await talk.OffsetsAsync(id, "p", group, v, "f", 0, 5);
                await talk.OffsetsAsync(id, "p", group, v, "f", 0, 7, metadata: null);
                await talk.OffsetsAsync(id, "p", group, v, "f", 0, 7, metadata: new('m', 5000));
                await talk.OffsetsAsync(id, "p", group, v, "f", 2, 5);
                await talk.OffsetsAsync(id, "p", group, v, "f", -1, 5);
                await talk.OffsetsAsync(id, "p", group, v, "nowhere", 0, 5);
                await talk.OffsetsAsync(id, "p", "", v, "f", 0, 5);
                if (v < 5) await talk.OffsetsAsync(id, "p", $"other.{v}", v, "f", 0, 5);
                await talk.OffsetsAsync(id, new("p", Epoch: 1), group, v, "f", 0, 6);
                await talk.OffsetsAsync(id, new("p", Epoch: -1), group, v, "f", 0, 6);
                await talk.OffsetsAsync(id, new("p", Id: 100_000), group, v, "f", 0, 6);
                if (v >= 3)
                {
                    await talk.OffsetsAsync(id, "p", group, v, "f", 0, 8, generation: 3);
                    await talk.OffsetsAsync(id, "p", group, v, "f", 0, 8, _ => "nobody");
                    await talk.OffsetsAsync(id, "p", group, v, "f", 0, 8, _ => "nobody", 1);
                    await talk.OffsetsAsync(id, "p", group, v, "f", 0, 8, instance: "nobody");
                }
                await talk.SettledAsync(id);
                await talk.CommittedAsync(group, "f", 2);
                await talk.EndAsync(id, "p", commit, end, "p1");
                await talk.SettledAsync(id);
                await talk.CommittedAsync(group, "f", 2);
                await talk.OffsetsAsync(id, "p", group, v, "f", 0, 9);                           // after its end
                await talk.SettledAsync(id);
                await talk.InitAsync("q", id);
                await talk.SettledAsync(id);
                await talk.OffsetsAsync(id, "p", group, v, "f", 0, 9);                           // fenced
                await talk.CommittedAsync(group, "f", 2);
            }
        }
        d.Judge();
    }

    [Fact]
    public async Task Members_commit_offsets_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("k", 2));
        await d.AskAsync<JoinGroupRequest, JoinGroupResponse>(_ => new() { GroupId = "members", SessionTimeoutMs = 20_000, RebalanceTimeoutMs = 20_000, ProtocolType = "consumer", Protocols = [new() { Name = "range", Metadata = new byte[] { 0, 1, 0, 0, 0, 0, 255, 255, 255, 255 } }] }, 3, (side, r) => side.Known["member"] = r.MemberId);
        await d.AskAsync<SyncGroupRequest, SyncGroupResponse>(side => new() { GroupId = "members", GenerationId = 1, MemberId = side.Get<string>("member"), Assignments = [] }, 3);
        for (short v = 3; v <= 5; v++)
        {
            var id = $"member.{v}";
            await talk.InitAsync("p", id);
            if (v < 5) await talk.AddGroupAsync(id, "p", "members");
            await talk.OffsetsAsync(id, "p", "members", v, "k", 0, v, side => side.Get<string>("member"), 1);
            await talk.OffsetsAsync(id, "p", "members", v, "k", 1, v, side => side.Get<string>("member"), 2);
            await talk.OffsetsAsync(id, "p", "members", v, "k", 1, v, side => side.Get<string>("member"), 0);
            await talk.OffsetsAsync(id, "p", "members", v, "k", 1, v, side => side.Get<string>("member"));
            await talk.OffsetsAsync(id, "p", "members", v, "k", 1, v, _ => "stranger", 1);
            await talk.OffsetsAsync(id, "p", "members", v, "k", 1, v, side => side.Get<string>("member"), 1, "instance");
            await talk.OffsetsAsync(id, "p", "members", v, "k", 1, v + 10);                      // nobody's
            await talk.CommittedAsync("members", "k", 2);
            await talk.EndAsync(id, "p", true, v < 5 ? v : (short)5);
            await talk.SettledAsync(id);
            await talk.CommittedAsync("members", "k", 2);
        }
        d.Judge();
    }

    [Fact]
    public async Task Transactions_are_listed_and_told_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("l", 3), ("l2", 2));
        foreach (var name in new[] { "empty", "open", "committed", "aborted" })
        {
            await talk.InitAsync(name, $"list.{name}");
            if (name == "empty") continue;
            await talk.ProduceAsync("l", name, 0, 12, $"list.{name}");
            await talk.ProduceAsync("l2", name, 0, 12, $"list.{name}", partition: 1);
            await talk.ProduceAsync("l", name, 0, 12, $"list.{name}", partition: 2);
            if (name != "open") await talk.EndAsync($"list.{name}", name, name == "committed", 5);
            await talk.SettledAsync($"list.{name}");
        }
        await d.AskAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(_ => new() { TransactionalIds = ["list.open", "list.empty", "list.aborted", "nobody", ""] }, 0, byName: true);
        await d.AskAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(_ => new() { TransactionalIds = [] }, 0);
        d.Deviates(ApiKey.DescribeTransactions, @"\.TransactionStates\[1\]", "what is named again in one request is told once");
        await d.AskAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(_ => new() { TransactionalIds = ["list.empty", "list.empty"] }, 0);
        await Task.Delay(30, TestContext.Current.CancellationToken);
        Task List(Func<Dialogue.Side, short, ListTransactionsRequest> request, short from = 0) => d.AskAllAsync<ListTransactionsRequest, ListTransactionsResponse>((side, v) =>
        {
            var made = request(side, v);
            if (v >= 2) made.TransactionalIdPattern ??= "list\\..*";
            if ((v < 2 || made.TransactionalIdPattern is "") && made.ProducerIdFilters.Count == 0) made.ProducerIdFilters = [.. new[] { "empty", "open", "committed", "aborted" }.Select(n => side.Get<(long, short)>(n).Item1)];
            return made;
        }, from, byName: true);
        await List((_, _) => new() { StateFilters = ["Ongoing"] });
        await List((_, _) => new(), 2);
        await List((_, _) => new() { StateFilters = ["Empty", "CompleteCommit"] }, 2);
        await List((_, _) => new() { StateFilters = ["PrepareCommit", "PrepareAbort", "PrepareEpochFence", "Dead"] });
        await List((_, _) => new() { StateFilters = ["Nonsense"] });
        await List((_, _) => new() { StateFilters = ["ongoing", "Ongoing", "", "Nonsense", "Nonsense"] });
        foreach (var name in new[] { "empty", "open", "committed", "aborted" })
            await List((side, _) => new() { ProducerIdFilters = [side.Get<(long, short)>(name).Item1] });
        await List((_, _) => new() { ProducerIdFilters = [987_654_321] });
        await List((side, _) => new() { ProducerIdFilters = [side.Get<(long, short)>("open").Item1], StateFilters = ["Empty"] });
        foreach (var duration in new[] { -2L, 0, 1, 3_600_000, long.MaxValue })
            await List((_, _) => new() { DurationFilter = duration, StateFilters = ["Ongoing", "CompleteCommit"] }, 1);
        foreach (var pattern in new[] { "", "list.open", "open", "list\\.(open|empty)", "LIST.*", "[", "list.*", "(?i)LIST\\.O.*", "(list", "*" })
            await List((_, _) => new() { TransactionalIdPattern = pattern, StateFilters = ["Ongoing", "CompleteAbort"] }, 2);
        d.Judge();
    }

    [Fact]
    public async Task Markers_by_hand_are_written_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("h", 2), ("h2", 1));
        d.Deviates(ApiKey.DescribeProducers, @"\.CoordinatorEpoch = ", "there is one coordinator, which is never replaced: its epoch is 0 in every marker");
        for (short v = 1; v <= 2; v++)
        {
            Task Mark(Who who, bool commit, int coordinator, params (string Topic, int Partition)[] partitions) => Marks(who, commit, coordinator, 0, partitions);
            Task Marks(Who who, bool commit, int coordinator, sbyte level, (string Topic, int Partition)[] partitions) => d.AskAsync<WriteTxnMarkersRequest, WriteTxnMarkersResponse>(side => new()
            {
                Markers =
                [
                    new()
                    {
                        ProducerId = who.On(side).Id, ProducerEpoch = who.On(side).Epoch, TransactionResult = commit, CoordinatorEpoch = coordinator, TransactionVersion = v >= 2 ? level : (sbyte)0,
                        Topics = [.. partitions.GroupBy(p => p.Topic, p => p.Partition).Select(t => new WriteTxnMarkersRequest.WritableTxnMarkerTopic { Name = t.Key, PartitionIndexes = [.. t] })],
                    },
                ],
            }, v, byName: true);
            var id = $"marked.{v}";
            await talk.InitAsync("p", id);
            await talk.ProduceAsync("h", "p", 0, 12, id);
            await Mark("p", true, 0, ("nowhere", 0));
            await Mark("p", true, 0, ("h", 2));
            await Mark("p", true, 0, ("h", 0), ("h", 9));
            await talk.ReadAsync("h");
            await Mark("p", true, 0, ("h", 0));                                                  // nothing is open any more
            await Mark("p", false, 0, ("h", 0));
            await talk.ProducersAsync([("h", 0)]);
            await talk.ProduceAsync("h", "p", 1, 12, id);
            await Mark(new("p", Epoch: 2), false, 7, ("h", 0));
            await Mark("p", false, 7, ("h", 0));                                                 // older
            await talk.ProducersAsync([("h", 0)]);
            await talk.ReadAsync("h");
            await Mark(new("p", Id: 200_000), false, 0, ("h", 1));                               // nobody knows it
            await Mark("p", true, -1, ("h", 1));
            await Mark("p", true, 0);
            await Marks("p", true, 0, 2, [("h2", 0)]);
            await Marks(new("p", Epoch: 1), true, 0, 2, [("h2", 0)]);
            await Marks(new("p", Epoch: 1), true, 0, 2, [("h2", 0)]);
            d.Deviates(ApiKey.ListOffsets, @"\.(Timestamp|Offset|LeaderEpoch) = ", "by time a record is found, not a marker: here there are only markers");
            await talk.ReadAsync("h", 1);
            await talk.ReadAsync("h2");
            await talk.ProducersAsync([("h", 0), ("h", 1), ("h2", 0)]);
            await d.AskAsync<WriteTxnMarkersRequest, WriteTxnMarkersResponse>(_ => new() { Markers = [] }, v);
            if (v == 1) continue;
            d.Deviates(ApiKey.WriteTxnMarkers, @"\.ErrorCode = ", "an older coordinator epoch is not refused, as there is one coordinator; an epoch below 0 is INVALID_REQUEST, where Kafka has an exception");
            await Mark(new("p", Epoch: 2), false, 5, ("h", 0));
            await Mark(new("p", Epoch: -1), false, 0, ("h", 0));
        }
        d.Judge();
    }
}
