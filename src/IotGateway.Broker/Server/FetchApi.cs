using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Reads record batches; waits for the least number of bytes asked for, up to the time given, without holding a thread.</summary>
internal sealed class FetchApi(Broker broker) : Api<FetchRequest, FetchResponse>
{
    const int FinalEpoch = -1;
    const int InitialEpoch = 0;
    readonly FetchSessions _sessions = new(broker.Time);
    readonly ReadBuffers _buffers = new();
    static readonly AccessRule Read = AccessRule.Topic(AclOperation.Read);

    public override IReadOnlyList<AccessRule> Access => [Read];

    protected override async ValueTask<FetchResponse?> HandleAsync(FetchRequest request, RequestContext context)
    {
        var byId = context.Version >= 13;
        var items = Items(request, byId);
        var full = context.Version < 7 || request.SessionEpoch is FinalEpoch or InitialEpoch;
        FetchSession? session;
        if (full)
        {
            if (request.SessionId != 0) _sessions.Remove(request.SessionId);
            // A client with nothing to read yet gets no session: an empty one would be news to nobody.
            session = context.Version >= 7 && request.SessionEpoch == InitialEpoch && items.Count > 0 ? _sessions.Create(byId) : null;
            session?.Update(items, []);
        }
        else
        {
            session = _sessions.Find(request.SessionId);
            if (session is null) return new() { ErrorCode = (short)KafkaError.FetchSessionIdNotFound };
            if (session.ById != byId) return new() { ErrorCode = (short)KafkaError.FetchSessionTopicIdError };
            if (!session.TryAdvance(request.SessionEpoch)) return new() { ErrorCode = (short)KafkaError.InvalidFetchSessionEpoch };
            items = session.Update(items, Forgotten(request, byId));
            if (items.Count == 0)
            {
                _sessions.Remove(session.Id);
                session = null;
            }
        }
        var answers = await ReadAsync(request, items, context);
        return Compose(items, answers, session, full);
    }

    protected override void Composed(FetchResponse response, KafkaWriter writer)
    {
        long bytes = 0;
        foreach (var topic in response.Responses)
            foreach (var partition in topic.Partitions) bytes += partition.Records?.Length ?? 0;
        broker.FetchMemory.Hold(bytes);
        broker.Metrics.Holds(bytes);
        writer.Released = () =>
        {
            broker.FetchMemory.Release(bytes);
            broker.Metrics.Holds(-bytes);
            foreach (var topic in response.Responses)
                foreach (var partition in topic.Partitions) _buffers.GiveBack(partition.Records);
        };
    }

    async ValueTask<List<FetchResponse.PartitionData>> ReadAsync(FetchRequest request, List<FetchItem> items, RequestContext context)
    {
        var ct = context.ConnectionClosed;
        var started = broker.Time.GetTimestamp();
        while (true)
        {
            var read = new FetchRead(broker.Store, context.Checks(Read), request.IsolationLevel == 1, broker.FetchMemory.Limit(Math.Clamp(request.MaxBytes, 0, broker.Options.MaxFetchBytes)), _buffers);
            var answers = new List<FetchResponse.PartitionData>(items.Count);
            // Not cancellable: when the broker stops, what was taken is still answered.
            foreach (var item in items) answers.Add(await read.ReadAsync(item, CancellationToken.None));
            var left = TimeSpan.FromMilliseconds(request.MaxWaitMs) - broker.Time.GetElapsedTime(started);
            if (items.Count == 0 || read.Bytes >= request.MinBytes || read.Urgent || left <= TimeSpan.Zero || ct.IsCancellationRequested) return answers;
            await WaitAsync(items, answers, request.MinBytes - read.Bytes, left, ct);
            foreach (var answer in answers) _buffers.GiveBack(answer.Records);
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

    static List<FetchItem> Items(FetchRequest request, bool byId) =>
    [
        .. from topic in request.Topics
           from asked in topic.Partitions
           select new FetchItem(byId ? "" : topic.Topic, byId ? topic.TopicId : Guid.Empty, asked.Partition, asked.FetchOffset,
               asked.PartitionMaxBytes, asked.CurrentLeaderEpoch, asked.LastFetchedEpoch),
    ];

    static IEnumerable<(string, Guid, int)> Forgotten(FetchRequest request, bool byId)
        => from topic in request.ForgottenTopicsData
           from partition in topic.Partitions
           select (byId ? "" : topic.Topic, byId ? topic.TopicId : Guid.Empty, partition);

    static FetchResponse Compose(List<FetchItem> items, List<FetchResponse.PartitionData> answers, FetchSession? session, bool full)
    {
        var response = new FetchResponse { SessionId = session?.Id ?? 0 };
        FetchResponse.FetchableTopicResponse? topic = null;
        for (var i = 0; i < items.Count; i++)
        {
            if (session?.Tells(items[i], answers[i], full) == false) continue;
            if (topic is null || topic.Topic != items[i].Name || topic.TopicId != items[i].TopicId)
                response.Responses.Add(topic = new() { Topic = items[i].Name, TopicId = items[i].TopicId });
            topic.Partitions.Add(answers[i]);
        }
        return response;
    }
}
