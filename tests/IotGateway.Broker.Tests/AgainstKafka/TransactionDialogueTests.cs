using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Transactions by both protocols: what Apache Kafka takes, refuses, tells and lets be read is what we do.</summary>
public sealed partial class TransactionDialogueTests(TransactionDialogueTests.PromptKafka kafka) : IClassFixture<TransactionDialogueTests.PromptKafka>
{
    /// <summary>Looks for timeouts as often as <see cref="Prompt"/>, not every 10 s.</summary>
    public sealed class PromptKafka : KafkaNode
    {
        protected override IReadOnlyList<string> Settings => [.. base.Settings, "transaction.abort.timed.out.transaction.cleanup.interval.ms=100"];
    }

    internal static BrokerOptions Prompt => new() { Transactions = new() { TimeoutCheckInterval = TimeSpan.FromMilliseconds(100) } };

    [Fact]
    public async Task Producers_begin_and_fence_each_other_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("b", 1));
        for (short v = 0; v <= 5; v++)
        {
            var id = $"begin.{v}";
            await talk.InitAsync("p", "", v);
            await talk.InitAsync("p", id, v, timeout: 0);
            await talk.InitAsync("p", id, v, timeout: -1);
            await talk.InitAsync("p", id, v, timeout: 900_001);
            await talk.SettledAsync(id);
            await talk.InitAsync("p", id, v, timeout: 900_000);
            await talk.SettledAsync(id);
            await talk.InitAsync("p2", id, v, timeout: 1);                       // the next in its name
            await talk.SettledAsync(id);
            await talk.InitAsync("p3", id, v, timeout: 0);
            await talk.SettledAsync(id);
            if (v < 3) continue;
            await talk.InitAsync("p4", id, v, claim: "p2");                      // KIP-360: the present one
            await talk.InitAsync("p4", id, v, claim: "p2");                      // its answer was lost
            await talk.InitAsync("p5", id, v, claim: "p");                       // fenced
            await talk.InitAsync("p5", id, v, claim: new("p4", Epoch: 1));
            await talk.InitAsync("p5", id, v, claim: new("p4", Id: 100_000));
            await talk.InitAsync("p5", id, v, claim: "p4");
            await talk.InitAsync("p6", id, v, claim: "p4");
            await talk.InitAsync("p6", id, v, claim: "p2");
            await talk.InitAsync("p7", $"{id}.new", v, claim: "p4");             // an id of its own, under another's producer id
            await talk.SettledAsync($"{id}.new");
            await talk.SettledAsync(id);
            await d.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(_ => new() { TransactionalId = id, TransactionTimeoutMs = 1000, ProducerId = -1, ProducerEpoch = 3 }, v);
            await d.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(_ => new() { TransactionalId = id, TransactionTimeoutMs = 1000, ProducerId = 3, ProducerEpoch = -1 }, v);
        }
        d.Judge();
    }

    [Fact]
    public async Task Partitions_and_groups_are_added_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("a", 3), ("a2", 1));
        for (short v = 0; v <= 3; v++)
        {
            var id = $"add.{v}";
            await talk.InitAsync("p", id);
            await talk.AddAsync($"nobody.{v}", "p", v, [("a", 0)]);
            await talk.AddAsync("", "p", v, [("a", 0)]);
            await talk.AddAsync(id, new("p", Id: 100_000), v, [("a", 0)]);
            await talk.AddAsync(id, new("p", Epoch: 1), v, [("a", 0)]);
            await talk.AddAsync(id, new("p", Epoch: -1), v, [("a", 0)]);
            await talk.AddAsync(id, "p", v, []);
            await talk.SettledAsync(id);
            await talk.AddAsync(id, "p", v, [("nowhere", 0)]);
            await talk.AddAsync(id, "p", v, [("a", 0), ("nowhere", 0)]);         // all or none
            await talk.AddAsync(id, "p", v, [("a", 0), ("a", 3), ("a2", 0)]);
            await talk.AddAsync(id, "p", v, [("a", -1)]);
            await talk.SettledAsync(id);
            await talk.AddAsync(id, "p", v, [("a", 0), ("a2", 0)]);
            await talk.AddAsync(id, "p", v, [("a", 0)]);
            await talk.AddAsync(id, "p", v, [("a", 2)]);
            await talk.SettledAsync(id);
            await talk.InitAsync("q", id);                                       // fences p
            await talk.AddAsync(id, "p", v, [("a", 0)]);
            await talk.SettledAsync(id);
        }
        for (short v = 0; v <= 4; v++)
        {
            var id = $"group.{v}";
            await talk.InitAsync("p", id);
            await talk.AddGroupAsync($"nobody.{v}", "p", "g", v);
            await talk.AddGroupAsync("", "p", "g", v);
            await talk.AddGroupAsync(id, new("p", Id: 100_000), "g", v);
            await talk.AddGroupAsync(id, new("p", Epoch: 1), "g", v);
            await talk.AddGroupAsync(id, "p", "", v);
            await talk.AddGroupAsync(id, "p", $"g.{v}", v);
            await talk.AddGroupAsync(id, "p", $"g.{v}", v);
            await talk.EndAsync(id, "p", v % 2 == 0, v);
            await talk.InitAsync("q", id);
            await talk.AddGroupAsync(id, "p", $"g.{v}", v);
            await talk.SettledAsync(id);
        }
        d.Judge();
    }

    [Fact]
    public async Task Transactions_that_add_first_go_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("o", 3));
        for (short v = 3; v <= 11; v++)
        {
            var id = $"old.{v}";
            var end = (short)(v % 5);
            var sequence = 0;
            await talk.InitAsync("p", id);
            await talk.ProduceAsync("o", "p", sequence, v, id);                  // nothing was added
            await talk.ProduceAsync("o", "p", sequence, v, "another");
            await talk.EndAsync(id, "p", true, end);
            await talk.EndAsync(id, "p", false, end);
            await talk.AddAsync(id, "p", 3, [("o", 0)]);
            await talk.ProduceAsync("o", "p", 0, v, id, partition: 1);           // another was added
            await talk.ProduceAsync("o", "p", sequence++, v, id);
            await talk.ProduceAsync("o", "p", sequence - 1, v, id);              // again
            await talk.ProduceAsync("o", "p", sequence + 3, v, id);              // a gap
            await talk.ProduceAsync("o", "p", sequence, v, id, plain: true);     // outside of its own transaction
            await talk.ProduceAsync("o", "p", sequence, v, plain: true);
            await talk.ProduceAsync("o", "p", sequence, v, plain: false);        // without the id
            await talk.ProduceAsync("o", new("p", Epoch: 1), 0, v, id);
            await talk.ProduceAsync("o", new("p", Epoch: -1), sequence, v, id);
            await talk.ProduceAsync("o", new("p", Id: 100_000), 0, v, id);
            await talk.SettledAsync(id);
            await talk.ReadAsync("o");
            await talk.EndAsync(id, new("p", Epoch: 1), true, end);
            await talk.EndAsync(id, new("p", Epoch: -1), true, end);
            await talk.EndAsync(id, new("p", Id: 100_000), true, end);
            await talk.EndAsync($"nobody.{v}", "p", true, end);
            await talk.EndAsync("", "p", true, end);
            await talk.EndAsync(id, "p", v % 2 == 0, end);
            await talk.EndAsync(id, "p", v % 2 == 0, end);                       // again
            await talk.EndAsync(id, "p", v % 2 != 0, end);                       // the opposite
            await talk.SettledAsync(id);
            await talk.ReadAsync("o");
            await talk.ProduceAsync("o", "p", sequence, v, id);                  // after its end
            // What was taken before. By it Kafka learns what is the lowest sequence to come, and refuses others in the next transaction.
            if (v % 2 != 0) await talk.ProduceAsync("o", "p", sequence - 1, v, id);
            await talk.AddAsync(id, "p", 3, [("o", 0)]);
            if (v % 2 == 0) await talk.ProduceAsync("o", "p", sequence, v, id);
            await talk.InitAsync("q", id);                                       // aborts it
            await talk.SettledAsync(id);
            await talk.ProduceAsync("o", "p", sequence + 1, v, id);
            await talk.EndAsync(id, "p", true, end);
            await talk.EndAsync(id, "p", false, end);
            await talk.ProducersAsync([("o", 0), ("o", 1)]);
            await talk.ReadAsync("o");
        }
        d.Judge();
    }

    [Fact]
    public async Task Transactions_that_begin_by_writing_go_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("n", 3));
        for (short v = 12; v <= 13; v++)
        {
            foreach (var commit in new[] { true, false })
            {
                var id = $"new.{v}.{commit}";
                await talk.InitAsync("p", id);
                await talk.EndAsync(id, "p", true, 5, "none");                   // nothing is open
                await talk.EndAsync(id, "p", false, 5, "p1");
                await talk.EndAsync(id, "p", false, 5, "p1");
                await talk.EndAsync(id, "p", true, 5, "none");
                await talk.SettledAsync(id);
                await talk.InitAsync("p", id);
                await talk.ProduceAsync("n", "p", 3, v, id);                     // not from 0
                await talk.SettledAsync(id);
                await talk.ProduceAsync("n", "p", 0, v, id);
                await talk.ProduceAsync("n", "p", 0, v, id);
                await talk.ProduceAsync("n", "p", 0, v, id, partition: 1);
                await talk.ProduceAsync("n", "p", 5, v, id);
                await talk.ProduceAsync("n", "p", 0, v, id, partition: 9);
                await talk.ProduceAsync("n", "p", 1, v, id, plain: true);
                await talk.ProduceAsync("n", "p", 1, v, plain: true);
                await talk.ProduceAsync("n", "p", 1, v, plain: false);
                await talk.ProduceAsync("n", new("p", Epoch: 1), 0, v, id);
                await talk.ProduceAsync("n", new("p", Epoch: -1), 0, v, id);
                await talk.ProduceAsync("n", new("p", Id: 100_000), 0, v, id);
                await talk.ProduceAsync("n", "p", 0, v, $"nobody.{v}", partition: 2);
                await talk.SettledAsync(id);
                await talk.ReadAsync("n");
                await talk.ProducersAsync([("n", 0), ("n", 1)]);                 // with a transaction open
                await talk.EndAsync(id, new("p", Epoch: 1), commit, 5, "none");
                await talk.EndAsync(id, new("p", Epoch: -1), commit, 5, "none");
                await talk.EndAsync(id, new("p", Id: 100_000), commit, 5, "none");
                await talk.EndAsync($"nobody.{v}", "p", commit, 5, "none");
                await talk.EndAsync(id, "p", commit, 5, "p1");
                await talk.EndAsync(id, "p", commit, 5, "none");                 // again: the same answer
                await talk.EndAsync(id, "p", !commit, 5, "none");                // the opposite
                await talk.EndAsync(id, "p", commit, 4, "none");
                await talk.SettledAsync(id);
                await talk.EndAsync(id, "p", commit, 5, "none");
                await talk.EndAsync(id, "p1", commit, 5, "p2");                  // nothing is open since
                await talk.EndAsync(id, "p1", !commit, 5, "p2");
                await talk.SettledAsync(id);
                await talk.ReadAsync("n");
                await talk.ProduceAsync("n", "p", 1, v, id);                     // late
                await talk.ProduceAsync("n", "p", 0, v, id);
                await talk.ProduceAsync("n", "p2", 0, v, id);
                await talk.InitAsync("q", id, claim: "p2");                      // aborts its own
                await talk.SettledAsync(id);
                await talk.InitAsync("q", id, claim: "p2");
                await talk.ProduceAsync("n", "q", 0, v, id);
                await talk.InitAsync("r", id);                                   // another's abort
                await talk.SettledAsync(id);
                await talk.ProduceAsync("n", "q", 1, v, id);
                await talk.EndAsync(id, "q", true, 5, "none");
                await talk.EndAsync(id, "q", false, 5, "none");
                await talk.ProduceAsync("n", "r", 0, v, id, partition: 2);
                await talk.EndAsync(id, "r", true, 4);                           // the old end of a new transaction
                await talk.SettledAsync(id);
                await talk.ProduceAsync("n", "r", 1, v, id, partition: 2);
                await talk.EndAsync(id, "r", false, 5, "r1");
                await talk.SettledAsync(id);
                await talk.ProducersAsync([("n", 0), ("n", 1), ("n", 2)]);
                for (var i = 0; i < 3; i++) await talk.ReadAsync("n", i);
                await talk.ReadAsync("n", offset: 3);
            }
        }
        d.Judge();
    }

    [Fact]
    public async Task Readers_of_committed_records_see_alike_what_is_open_around_them()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("c", 1));
        foreach (var name in new[] { "x", "y", "z" }) await talk.InitAsync(name, $"read.{name}");
        await talk.SendAsync("c", _ => Batches.Of("outside"));
        await talk.ProduceAsync("c", "x", 0, 12, "read.x", records: 2);
        await talk.ProduceAsync("c", "y", 0, 12, "read.y");
        await talk.ReadAsync("c");
        await talk.SendAsync("c", _ => Batches.Of("outside"));
        await talk.ProduceAsync("c", "z", 0, 12, "read.z", records: 3);
        d.Deviates(ApiKey.Fetch, @"\.AbortedTransactions", "Kafka tells also aborted transactions that lie behind the last stable offset");
        await EndAsync("y", false);
        await EndAsync("z", false);
        await talk.ProduceAsync("c", "z", 0, 12, "read.z");
        d.Agrees(ApiKey.Fetch);
        await EndAsync("x", true);
        await EndAsync("z", false);
        await talk.ProduceAsync("c", "y", 0, 12, "read.y");
        await talk.ReadAsync("c", from: 4, to: 18);
        await EndAsync("y", false);
        await talk.ReadAsync("c", from: 4, to: 18);
        for (var offset = 1; offset < 16; offset++) await talk.ReadAsync("c", offset: offset);
        await d.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(_ => new() { TimeoutMs = 5000, Topics = [new() { Name = "c", Partitions = [new() { PartitionIndex = 0, Offset = 4 }] }] }, 2);
        for (var offset = 4; offset < 6; offset++) await talk.ReadAsync("c", offset: offset);
        d.Judge();

        async Task EndAsync(string who, bool commit)
        {
            await talk.EndAsync($"read.{who}", who, commit, 5);
            await talk.SettledAsync($"read.{who}");
            await talk.ReadAsync("c");
        }
    }
}
