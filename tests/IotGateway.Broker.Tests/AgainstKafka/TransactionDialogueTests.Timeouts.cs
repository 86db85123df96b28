using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Transactions that nobody ends in time.</summary>
public sealed partial class TransactionDialogueTests
{
    internal const int Timeout = 1500; // ms

    [Fact]
    public async Task Transactions_that_take_too_long_are_aborted_alike()
    {
        await using var broker = await TestBroker.StartAsync(Prompt);
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("t", 8));
        d.Deviates(ApiKey.DescribeTransactions, @"__consumer_offsets|\.Topics = \[\]$", "groups live in the log's own tables");
        (short Produce, short End, short Offsets)[] protocols = [(11, 4, 4), (12, 5, 5)];
        foreach (var (v, end, offsets) in protocols)
        {
            // Each by an id of its own, for what is asked first decides; all wait together.
            string[] names = ["asks", "ends", "claims", "next", "again", "group"];
            foreach (var (name, i) in names.Select((name, i) => (name, i)))
            {
                var id = $"late.{v}.{name}";
                await talk.InitAsync(name, id, timeout: Timeout);
                if (name == "group")
                {
                    if (v < 12) await talk.AddGroupAsync(id, name, id, 4);
                    await talk.OffsetsAsync(id, name, id, offsets, "t", 0, 5);
                    continue;
                }
                if (v < 12) await talk.AddAsync(id, name, 3, [("t", i)]);
                await talk.ProduceAsync("t", name, 0, v, id, partition: i);
            }
            foreach (var name in names) await AbortedAsync(d, $"late.{v}.{name}");
            for (var i = 0; i < 5; i++) await talk.ReadAsync("t", i);
            await talk.CommittedAsync($"late.{v}.group", "t");

            var asks = $"late.{v}.asks";
            await talk.ProduceAsync("t", "asks", 1, v, asks);
            await talk.ProduceAsync("t", "asks", 0, v, asks);                    // what was taken before
            await talk.ProduceAsync("t", "asks", 0, v, asks, partition: 6);
            await talk.ProduceAsync("t", "asks", 1, 9, asks);
            for (short add = 0; add <= 3; add++) await talk.AddAsync(asks, "asks", add, [("t", 0), ("t", 6)]);
            for (short add = 0; add <= 4; add++) await talk.AddGroupAsync(asks, "asks", "g", add);
            for (short commit = 0; commit <= 5; commit++) await talk.OffsetsAsync(asks, "asks", "g", commit, "t", 0, 5);
            for (short last = 0; last <= 5; last++)
            {
                await talk.EndAsync(asks, "asks", true, last, "none");
                await talk.EndAsync(asks, "asks", false, last, "none");
            }
            for (short init = 3; init <= 5; init++) await talk.InitAsync("none", asks, init, claim: "asks");
            await talk.SettledAsync(asks);
            await talk.ProduceAsync("t", new("asks", Epoch: 1), 0, v, asks, partition: 6);
            await talk.EndAsync(asks, new("asks", Epoch: 1), false, end, "none");
            await talk.SettledAsync(asks);

            var ends = $"late.{v}.ends";
            await talk.EndAsync(ends, "ends", false, end, "none");
            await talk.EndAsync(ends, "ends", true, end, "none");
            await talk.InitAsync("ends", ends, timeout: Timeout, claim: new("ends", Epoch: 1));
            await talk.SettledAsync(ends);

            var claims = $"late.{v}.claims";
            await talk.InitAsync("claims", claims, claim: "claims");
            await talk.SettledAsync(claims);
            if (v < 12) await talk.AddAsync(claims, "claims", 3, [("t", 6)]);
            await talk.ProduceAsync("t", "claims", 0, v, claims, partition: 6);
            await talk.EndAsync(claims, "claims", true, end);
            await talk.SettledAsync(claims);

            var next = $"late.{v}.next";
            await talk.InitAsync("next", next);
            await talk.SettledAsync(next);
            if (v < 12) await talk.AddAsync(next, "next", 3, [("t", 6)]);
            await talk.ProduceAsync("t", "next", 0, v, next, partition: 6);
            await talk.EndAsync(next, "next", true, end);
            await talk.SettledAsync(next);

            var group = $"late.{v}.group";
            await talk.OffsetsAsync(group, "group", group, offsets, "t", 0, 6);
            await talk.EndAsync(group, "group", true, end, "none");
            await talk.InitAsync("group", group);
            await talk.SettledAsync(group);

            var again = $"late.{v}.again";
            await talk.InitAsync("again", again, timeout: Timeout);
            if (v < 12) await talk.AddAsync(again, "again", 3, [("t", 7)]);
            await talk.ProduceAsync("t", "again", 0, v, again, partition: 7);
            await AbortedAsync(d, again);
            await talk.InitAsync("again", again);
            await talk.SettledAsync(again);
            for (var i = 0; i < 8; i++) await talk.ReadAsync("t", i);
            await talk.ProducersAsync([.. Enumerable.Range(0, 8).Select(i => ("t", i))]);
        }
        d.Judge();
    }

    /// <summary>Waits until the id's transaction is over, and compares what is told of it.</summary>
    internal static Task AbortedAsync(Dialogue d, string id) => d.AskAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(_ => new() { TransactionalIds = [id] }, 0,
        again: r => r.TransactionStates.Exists(t => t.TransactionState == "Ongoing" || t.TransactionState.StartsWith("Prepare", StringComparison.Ordinal)), byName: true);
}
