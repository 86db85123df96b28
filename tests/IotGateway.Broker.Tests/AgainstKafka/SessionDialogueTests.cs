using System.Runtime.CompilerServices;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Incremental fetches (KIP-227): sessions, their epochs, what they leave out.</summary>
public sealed class SessionDialogueTests(KafkaNode kafka) : IClassFixture<KafkaNode>
{
    static readonly (string, int, long)[] Nothing = [];

    [Fact]
    public async Task Fetch_sessions_begin_go_on_and_end_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = Dialogue.Between(broker, kafka);
        await d.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(_ => new()
        {
            TimeoutMs = 5000, Topics = [new() { Name = "one", NumPartitions = 2, ReplicationFactor = 1 }, new() { Name = "two", NumPartitions = 1, ReplicationFactor = 1 }],
        }, 4);
        await d.SettleAsync("one", 2);
        await d.SettleAsync("two", 1);
        await d.AskAsync<MetadataRequest, MetadataResponse>(_ => new() { Topics = [new() { Name = "one" }, new() { Name = "two" }], AllowAutoTopicCreation = false }, 12,
            (side, told) => told.Topics.ForEach(t => side.Known[t.Name!] = t.TopicId), byName: true);
        await ProduceAsync("one", 0);
        foreach (var v in new short[] { 7, 11, 12, 13, 18 })
        {
            await AskAsync(v, 0, 0, [("one", 0, 0), ("one", 1, 0), ("two", 0, 0)]);      // begins
            await AskAsync(v, null, 1, Nothing);                                           // tells again what was not taken
            await AskAsync(v, null, 2, [("one", 0, 1)]);                                   // goes on behind it
            await AskAsync(v, null, 3, Nothing);                                           // nothing new
            await ProduceAsync("two", 0);
            await AskAsync(v, null, 4, Nothing);
            await AskAsync(v, null, 5, [("two", 0, 9999)]);                                // out of range
            await AskAsync(v, null, 6, Nothing);
            await AskAsync(v, null, 7, [("two", 0, 0)], forget: [("one", 0, 0), ("one", 1, 0)]);
            await AskAsync(v, null, 7, Nothing);                                           // the epoch was used
            await AskAsync(v, null, 9, Nothing);                                           // an epoch is left out
            await AskAsync(v, 123456789, 1, Nothing);                                      // no such session
            await AskAsync(v, 123456789, 0, [("one", 0, 0)]);                              // begins anew, ends another that is not
            await AskAsync(v, null, 1, [("one", 5, 0)]);                                   // no such partition
            await AskAsync(v, null, 2, Nothing);
            await AskAsync(v, null, 3, [("nowhere", 0, 0)]);
            await AskAsync(v, null, 4, Nothing);
            await AskAsync(v, null, -1, [("one", 0, 0)]);                                  // ends
            await AskAsync(v, null, 5, Nothing);
            await AskAsync(v, 0, -1, [("one", 0, 0)]);                                     // without one
            await AskAsync(v, 0, 5, [("one", 0, 0)]);
        }
        d.Judge();

        Task ProduceAsync(string topic, int partition, [CallerLineNumber] int line = 0)
            => d.AskAsync<ProduceRequest, ProduceResponse>(_ => Requests.Produce(topic, Batches.Of("x"), partition: partition), 9, line: line);

        Task AskAsync(short v, int? session, int epoch, (string, int, long)[] wanted, (string, int, long)[]? forget = null, [CallerLineNumber] int line = 0) => d.AskAsync<FetchRequest, FetchResponse>(side => new()
        {
            ReplicaId = -1, MaxWaitMs = 0, MinBytes = 0, MaxBytes = 1 << 20, SessionId = session ?? side.Known.GetValueOrDefault("session") as int? ?? 0, SessionEpoch = epoch,
            Topics = [.. wanted.GroupBy(w => w.Item1).Select(t => new FetchRequest.FetchTopic
            {
                Topic = v >= 13 ? "" : t.Key, TopicId = v >= 13 ? side.Known.GetValueOrDefault(t.Key) as Guid? ?? new Guid(7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7) : default,
                Partitions = [.. t.Select(p => new FetchRequest.FetchPartition { Partition = p.Item2, FetchOffset = p.Item3, PartitionMaxBytes = 1 << 20, CurrentLeaderEpoch = -1, LastFetchedEpoch = -1, LogStartOffset = -1 })],
            })],
            ForgottenTopicsData = [.. (forget ?? []).GroupBy(w => w.Item1).Select(t => new FetchRequest.ForgottenTopic { Topic = v >= 13 ? "" : t.Key, TopicId = v >= 13 ? side.Get<Guid>(t.Key) : default, Partitions = [.. t.Select(p => p.Item2)] })],
        }, v, (side, answer) => { if (answer.SessionId != 0) side.Known["session"] = answer.SessionId; }, arrange: answer =>
        {
            // Which partition comes first is a matter of fairness.
            var topics = answer.Responses.SelectMany(t => t.Partitions, (t, p) => (t.Topic, t.TopicId, Partition: p)).GroupBy(p => (p.Topic, p.TopicId)).ToList();
            answer.Responses.Clear();
            answer.Responses.AddRange(topics.Select(t => new FetchResponse.FetchableTopicResponse { Topic = t.Key.Topic, TopicId = t.Key.TopicId, Partitions = [.. t.Select(p => p.Partition).OrderBy(p => p.PartitionIndex)] })
                .OrderBy(t => t.Topic, StringComparer.Ordinal).ThenBy(t => t.Partitions.Count).ThenBy(t => t.Partitions[0].HighWatermark).ThenBy(t => t.Partitions[0].ErrorCode));
        }, line: line);
    }
}
