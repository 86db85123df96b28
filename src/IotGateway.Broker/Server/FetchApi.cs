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
            session = context.Version >= 7 && request.SessionEpoch == InitialEpoch && items.Count > 0 ? _sessions.Create(byId, items.Count) : null;
            session?.Update(items, []);
        }
        else
        {
            session = _sessions.Find(request.SessionId);
            if (session is null) return new() { ErrorCode = (short)KafkaError.FetchSessionIdNotFound };
            if (session.ById != byId) return new() { ErrorCode = (short)KafkaError.FetchSessionTopicIdError };
            if (!session.TryAdvance(request.SessionEpoch)) return new() { ErrorCode = (short)KafkaError.InvalidFetchSessionEpoch };
            var grows = items.Count > 0;
            items = session.Update(items, Forgotten(request, byId));
            if (items.Count == 0) _sessions.Remove(session.Id);
            // Without a session the client starts anew.
            if (items.Count == 0 || grows && _sessions.RemoveTooLarge(session)) session = null;
        }
        var answers = await ReadAsync(request, items, context);
        return Compose(items, answers, session, full);
    }

    protected override void Composed(FetchResponse response, KafkaWriter writer)
    {
        var answers = response.Responses.SelectMany(t => t.Partitions).ToList();
        var bytes = answers.Sum(a => (long)(a.Records?.Length ?? 0));
        broker.Metrics.Holds(bytes);
        writer.Released = () =>
        {
            broker.Metrics.Holds(-bytes);
            FetchRead.GiveBack(answers, _buffers, broker.FetchMemory);
        };
    }

    async ValueTask<List<FetchResponse.PartitionData>> ReadAsync(FetchRequest request, List<FetchItem> items, RequestContext context)
    {
        var ct = context.ConnectionClosed;
        var started = broker.Time.GetTimestamp();
        while (true)
        {
            var most = broker.FetchMemory.Limit(Math.Clamp(request.MaxBytes, 0, broker.Options.MaxFetchBytes));
            var least = LeastBytes(request.MinBytes, most, items);
            var read = new FetchRead(broker.Store, context.Checks(Read), request.IsolationLevel == 1, least, most, _buffers, broker.FetchMemory);
            // Not cancellable: when the broker stops, what was taken is still answered.
            var answers = await read.ReadAsync(items, CancellationToken.None);
            var left = TimeSpan.FromMilliseconds(request.MaxWaitMs) - broker.Time.GetElapsedTime(started);
            if (items.Count == 0 || read.Ready >= least || read.Urgent || left <= TimeSpan.Zero || ct.IsCancellationRequested) return answers;
            // Read again after the wait: waiting clients, of which there may be thousands, hold no records.
            FetchRead.GiveBack(answers, _buffers, broker.FetchMemory);
            await WaitAsync(items, answers, least - read.Ready, left, ct);
        }
    }

    /// <summary>Bytes to wait for: as many as were asked for, but never more than the limits let one answer have, for which the client would wait in vain.</summary>
    static int LeastBytes(int asked, int most, List<FetchItem> items)
        => asked <= 0 ? 0 : (int)Math.Max(1, Math.Min(Math.Min(asked, most), items.Sum(i => (long)Math.Max(i.MaxBytes, 0))));

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

    /// <summary>Each partition once, as it was asked for last: a session would hold it so.</summary>
    static List<FetchItem> Items(FetchRequest request, bool byId)
    {
        var items = new OrderedDictionary<(string, Guid, int), FetchItem>();
        foreach (var topic in request.Topics)
            foreach (var asked in topic.Partitions)
            {
                var item = new FetchItem(byId ? "" : topic.Topic, byId ? topic.TopicId : Guid.Empty, asked.Partition, asked.FetchOffset,
                    asked.PartitionMaxBytes, asked.CurrentLeaderEpoch, asked.LastFetchedEpoch);
                items[(item.Name, item.TopicId, item.Index)] = item;
            }
        return [.. items.Values];
    }

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
