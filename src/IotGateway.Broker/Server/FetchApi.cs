using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Reads record batches; waits for the least number of bytes asked for, up to the time given, without holding a thread.</summary>
internal sealed class FetchApi(Broker broker) : Api<FetchRequest, FetchResponse>
{
    protected override async ValueTask<FetchResponse?> HandleAsync(FetchRequest request, RequestContext context)
    {
        // Every fetch is answered in full: session id 0 tells the client that there is no session to build on (KIP-227).
        if (request.SessionId != 0) return new() { ErrorCode = (short)KafkaError.FetchSessionIdNotFound };
        var items = Items(request, context.Version);
        var started = broker.Time.GetTimestamp();
        while (true)
        {
            var read = new FetchRead(broker.Store, request.IsolationLevel == 1, Math.Min(request.MaxBytes, broker.Options.MaxFetchBytes));
            var answers = new List<FetchResponse.PartitionData>(items.Count);
            foreach (var item in items) answers.Add(await read.ReadAsync(item, context.ConnectionClosed));
            var left = TimeSpan.FromMilliseconds(request.MaxWaitMs) - broker.Time.GetElapsedTime(started);
            if (read.Bytes >= request.MinBytes || read.Urgent || left <= TimeSpan.Zero || context.ConnectionClosed.IsCancellationRequested)
                return Compose(items, answers);
            await WaitAsync(items, answers, request.MinBytes - read.Bytes, left, context.ConnectionClosed);
        }
    }

    async ValueTask WaitAsync(List<FetchItem> items, List<FetchResponse.PartitionData> answers, int missing, TimeSpan left, CancellationToken ct)
    {
        var partitions = items.Select(i => i.Find(broker.Store)).ToList();
        if (partitions.Contains(null)) return; // deleted meanwhile: the next pass says so
        using var wait = new FetchWait(partitions!, missing);
        // What came between reading and watching told nobody.
        for (var i = 0; i < items.Count; i++)
            if (partitions[i]!.HighWatermark > answers[i].HighWatermark) return;
        await wait.WaitAsync(left, broker.Time, ct);
    }

    static List<FetchItem> Items(FetchRequest request, short version) =>
    [
        .. from topic in request.Topics
           from asked in topic.Partitions
           select new FetchItem(version >= 13 ? "" : topic.Topic, version >= 13 ? topic.TopicId : Guid.Empty, asked.Partition, asked.FetchOffset,
               asked.PartitionMaxBytes, asked.CurrentLeaderEpoch, asked.LastFetchedEpoch),
    ];

    static FetchResponse Compose(List<FetchItem> items, List<FetchResponse.PartitionData> answers)
    {
        var response = new FetchResponse();
        for (var i = 0; i < items.Count; i++)
        {
            var topic = response.Responses.Count == 0 ? null : response.Responses[^1];
            if (topic is null || topic.Topic != items[i].Name || topic.TopicId != items[i].TopicId)
                response.Responses.Add(topic = new() { Topic = items[i].Name, TopicId = items[i].TopicId });
            topic.Partitions.Add(answers[i]);
        }
        return response;
    }
}
