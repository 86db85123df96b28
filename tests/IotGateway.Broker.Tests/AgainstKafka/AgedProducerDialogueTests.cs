using IotGateway.Broker.Protocol;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>
/// Producers that have used up their epochs, which by the newer protocol each transaction takes one of: an hour at ten a second. Left out is what Kafka
/// answers by UNKNOWN_SERVER_ERROR, for it counts beyond the last epoch: a claim of the last but one, once that has become the last.
/// </summary>
public sealed class AgedProducerDialogueTests(TransactionDialogueTests.PromptKafka kafka) : IClassFixture<TransactionDialogueTests.PromptKafka>
{
    [Fact]
    public async Task Producers_without_epochs_left_go_on_alike()
    {
        const long first = 5_000_000; // ids that neither broker gives away meanwhile
        string[] ways = ["begins", "claims", "ends", "older", "idle", "fenced", "fences", "late"];
        var aged = ways.SelectMany(way => new[] { 3, 2, 1 }.Select(left => new AgedProducer($"aged.{way}.{left}", 0, (short)(short.MaxValue - left))))
            .Select((producer, i) => producer with { ProducerId = first + i }).ToList();
        await AgedProducers.TellAsync(kafka, aged);
        await using var broker = await TestBroker.StartAsync(TransactionDialogueTests.Prompt, await AgedProducers.MakeLogAsync(aged));
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        await talk.PrepareAsync(("aged", 3));
        d.Deviates(ApiKey.Produce, @"\.ErrorCode = (47|49)$", "a marker of the end in that very partition tells Kafka's log of the old id's end before its coordinator is asked");
        d.Deviates(ApiKey.DescribeTransactions, @"\.Topics = \[\]$", "a transaction of nothing");
        foreach (var (id, producerId, epoch) in aged)
        {
            await LearnAsync(id, _ => (producerId, epoch));
            await talk.SettledAsync(id);
            var left = short.MaxValue - epoch;
            switch (id.Split('.')[1])
            {
                case "begins":
                    for (var i = 0; i < 4; i++)
                    {
                        await talk.InitAsync(id, id);
                        await talk.SettledAsync(id);
                    }
                    await InOneAsync(id, 12, 5);
                    break;
                case "claims":
                    for (var i = 0; i < 4; i++)
                    {
                        await talk.InitAsync("next", id, claim: id);
                        if (i != left - 2) await talk.InitAsync("next", id, claim: id); // its answer was lost; else as said above
                        await talk.SettledAsync(id);
                        await LearnAsync(id, side => side.Known["next"]);
                    }
                    await InOneAsync(id, 12, 5);
                    break;
                case "ends":
                    for (var i = 0; i < 4; i++) await InOneAsync(id, 12, 5, commit: i % 2 == 0);
                    break;
                case "older":
                    for (var i = 0; i < 3; i++) await InOneAsync(id, 11, 4, commit: i % 2 == 0);
                    await talk.InitAsync(id, id);
                    await InOneAsync(id, 11, 4);
                    break;
                case "idle":
                    for (var i = 0; i < 4; i++)
                    {
                        await talk.EndAsync(id, id, false, 5, "next");
                        await talk.EndAsync(id, id, false, 5, "next");
                        await talk.SettledAsync(id);
                        await LearnAsync(id, side => side.Known["next"]);
                    }
                    break;
                case "fenced":
                    for (var i = 0; i < 3; i++)
                    {
                        await talk.ProduceAsync("aged", id, 0, 12, id, partition: 1);
                        await talk.InitAsync("next", id);
                        await talk.SettledAsync(id);
                        await talk.ProduceAsync("aged", id, 1, 12, id, partition: 1);
                        await talk.EndAsync(id, id, true, 5, "none");
                        await talk.EndAsync(id, id, true, 4, "none");
                        await LearnAsync(id, side => side.Known["next"]);
                    }
                    await InOneAsync(id, 12, 5);
                    break;
                case "fences":
                    if (left == 2) break; // as said above
                    await talk.ProduceAsync("aged", id, 0, 12, id, partition: 1);
                    await talk.InitAsync("next", id, claim: id);
                    await talk.SettledAsync(id);
                    if (left != 1) await talk.InitAsync("none", id, claim: id); // Kafka has forgotten the old id by then, and fences
                    await LearnAsync(id, side => side.Known["next"]);
                    await InOneAsync(id, 12, 5);
                    break;
                default:
                    await talk.InitAsync(id, id, timeout: TransactionDialogueTests.Timeout);
                    await talk.ProduceAsync("aged", id, 0, 12, id, partition: 2);
                    await TransactionDialogueTests.AbortedAsync(d, id);
                    await talk.EndAsync(id, id, true, 5, "next");
                    if (left != 3) await talk.InitAsync("next", id, claim: id); // as said above
                    await talk.SettledAsync(id);
                    await talk.InitAsync(id, id);
                    await InOneAsync(id, 12, 5);
                    break;
            }
        }
        for (var i = 0; i < 3; i++) await talk.ReadAsync("aged", i);
        d.Judge();

        // Who asks under the name from now on.
        Task LearnAsync(string id, Func<Dialogue.Side, object> who) => d.WithBothAsync(side =>
        {
            side.Known[id] = who(side);
            return Task.CompletedTask;
        });

        async Task InOneAsync(string id, short v, short end, bool commit = true)
        {
            if (v < 12) await talk.AddAsync(id, id, 3, [("aged", 0)]);
            await talk.ProduceAsync("aged", id, 0, v, id);
            await talk.ProduceAsync("aged", id, 1, v, id);
            await talk.EndAsync(id, id, commit, end, "next");
            await talk.EndAsync(id, id, commit, end, "next"); // its answer was lost
            await talk.SettledAsync(id);
            if (end < 5) return;
            await talk.ProduceAsync("aged", id, 2, v, id);   // by what it was
            await LearnAsync(id, side => side.Known["next"]);
        }
    }
}
