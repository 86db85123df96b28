using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Topics that go while a transaction writes to them.</summary>
public sealed partial class TransactionDialogueTests
{
    [Fact]
    public async Task Topics_deleted_in_a_transaction_are_forgotten_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        d.Deviates(ApiKey.DescribeTransactions, @"__consumer_offsets|\.Topics\[gone\.topic", "groups live in the log's own tables; a topic that is gone has no name any more");
        (short Produce, short End, short Offsets)[] protocols = [(11, 4, 4), (12, 5, 5)];
        foreach (var (v, end, offsets) in protocols)
        {
            foreach (var commit in new[] { true, false })
            {
                var (id, group, gone, stays) = ($"gone.{v}.{commit}", $"gone.group.{v}.{commit}", $"gone.topic.{v}.{commit}", $"gone.beside.{v}.{commit}");
                await talk.PrepareAsync((gone, 2), (stays, 1));
                await talk.InitAsync("p", id);
                if (v < 12)
                {
                    await talk.AddAsync(id, "p", 3, [(gone, 0), (stays, 0)]);
                    await talk.AddGroupAsync(id, "p", group);
                }
                await talk.ProduceAsync(gone, "p", 0, v, id);
                await talk.ProduceAsync(stays, "p", 0, v, id);
                await talk.OffsetsAsync(id, "p", group, offsets, gone, 0, 5);
                await talk.OffsetsAsync(id, "p", group, offsets, stays, 0, 5);
                await DeleteAsync(d, gone);
                await talk.ProduceAsync(gone, "p", 1, v, id);
                await talk.ProduceAsync(gone, "p", 0, v, id, partition: 1);
                await talk.AddAsync(id, "p", 3, [(gone, 1)]);
                await talk.OffsetsAsync(id, "p", group, offsets, gone, 1, 5);
                await talk.ProduceAsync(stays, "p", 1, v, id);
                await talk.SettledAsync(id);
                await talk.EndAsync(id, "p", commit, end);
                await talk.SettledAsync(id);
                await talk.ReadAsync(stays);
                await talk.CommittedAsync(group, stays);
                await ForgottenAsync(d, group, gone);
                await d.AskAllAsync<OffsetFetchRequest, OffsetFetchResponse>((_, _) => new() { RequireStable = true, Groups = [new() { GroupId = group, Topics = null }] }, from: 8);
                await talk.PrepareAsync((gone, 2));
                await talk.ReadAsync(gone);
                await talk.ProducersAsync([(gone, 0), (stays, 0)]);
                if (v < 12) await talk.AddAsync(id, "p", 3, [(gone, 0)]);
                await talk.ProduceAsync(gone, "p", 0, v, id);
                await talk.EndAsync(id, "p", commit, end);
                await talk.SettledAsync(id);
                await talk.ReadAsync(gone);
                await talk.CommittedAsync(group, gone);
            }
        }
        d.Judge();
    }

    [Fact]
    public async Task What_is_held_for_a_topic_made_again_is_not_waited_for()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        var talk = new ProducerTalk(d);
        foreach (var again in new[] { false, true })
        {
            foreach (var commit in new[] { true, false })
            {
                var (id, group, topic) = ($"again.{again}.{commit}", $"again.group.{again}.{commit}", $"again.topic.{again}.{commit}");
                await talk.PrepareAsync((topic, 2));
                await talk.InitAsync("p", id);
                await talk.OffsetsAsync(id, "p", group, 5, topic, 0, 5);
                await talk.OffsetsAsync(id, "p", group, 5, topic, 1, 6);
                await talk.CommittedAsync(group, topic, 2);
                await DeleteAsync(d, topic);
                await talk.PrepareAsync((topic, 2));
                await StableAsync(d, group, topic);
                await talk.CommittedAsync(group, topic, 2);
                if (again) await talk.OffsetsAsync(id, "p", group, 5, topic, 0, 7);
                await talk.CommittedAsync(group, topic, 2);
                await talk.EndAsync(id, "p", commit, 5);
                await talk.SettledAsync(id);
                await talk.CommittedAsync(group, topic, 2);
            }
        }
        d.Judge();
    }

    /// <summary>Waits until a group has no offsets of a topic; Kafka's groups hear of its deletion later than the client.</summary>
    static Task ForgottenAsync(Dialogue d, string group, string topic) => d.WithBothAsync(side => Dialogue.UntilAsync(side, async () =>
        (await (await side.ReadyAsync("waiting")).CallAsync<OffsetFetchRequest, OffsetFetchResponse>(new() { Groups = [new() { GroupId = group, Topics = null }] }, 9)).Groups[0].Topics.Exists(t => t.Name == topic)
            ? $"{group} has offsets of {topic} still" : null));

    /// <summary>Waits until no transaction has offsets of a topic for a group, as above.</summary>
    static Task StableAsync(Dialogue d, string group, string topic) => d.WithBothAsync(side => Dialogue.UntilAsync(side, async () =>
        (await (await side.ReadyAsync("waiting")).CallAsync<OffsetFetchRequest, OffsetFetchResponse>(new() { RequireStable = true, Groups = [new() { GroupId = group, Topics = [new() { Name = topic, PartitionIndexes = [0, 1] }] }] }, 9))
            .Groups[0].Topics[0].Partitions.Exists(p => p.ErrorCode != 0) ? $"{group}'s offsets of {topic} are not stable" : null));

    /// <summary>Deletes a topic; Kafka's broker hears of it later than the client.</summary>
    static async Task DeleteAsync(Dialogue d, string topic)
    {
        await d.AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(_ => new() { TimeoutMs = 5000, TopicNames = [topic] }, 5);
        await d.WithBothAsync(side => Dialogue.UntilAsync(side, async () =>
            (await (await side.ReadyAsync("waiting")).CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = topic }], AllowAutoTopicCreation = false }, 9)).Topics[0].ErrorCode == 0 ? "still there" : null));
    }
}
