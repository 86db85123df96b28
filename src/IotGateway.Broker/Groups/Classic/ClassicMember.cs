namespace IotGateway.Broker.Groups.Classic;

/// <summary>A member of a classic group, and the requests of it that wait. Used inside the group only.</summary>
internal sealed class ClassicMember(string id, string? instanceId)
{
    TaskCompletionSource<JoinGroupResult>? join;
    TaskCompletionSource<SyncGroupResult>? sync;

    public string Id { get; set; } = id;
    public string? InstanceId { get; } = instanceId;
    public string ClientId { get; set; } = "";
    public string ClientHost { get; set; } = "";
    public int SessionTimeoutMs { get; set; }
    public int RebalanceTimeoutMs { get; set; }
    public IReadOnlyList<JoinProtocol> Protocols { get; set; } = [];
    public ReadOnlyMemory<byte> Assignment { get; set; }

    /// <summary>When it is taken for dead, unless it waits for an answer.</summary>
    public long Deadline { get; set; }

    /// <summary>Joined first in the rebalance under way: taken for dead even while it waits, lest lost clients pile up.</summary>
    public bool IsNew { get; set; }

    public bool IsStatic => InstanceId is not null;
    public bool AwaitsJoin => join is not null;
    public bool AwaitsSync => sync is not null;

    public ReadOnlyMemory<byte> MetadataFor(string? protocol)
    {
        foreach (var offered in Protocols)
            if (offered.Name == protocol) return offered.Metadata;
        return default;
    }

    /// <summary>Whether it offers exactly these protocols, in this order, with these bytes.</summary>
    public bool Offers(IReadOnlyList<JoinProtocol> protocols)
    {
        if (protocols.Count != Protocols.Count) return false;
        for (var i = 0; i < protocols.Count; i++)
            if (protocols[i].Name != Protocols[i].Name || !protocols[i].Metadata.Span.SequenceEqual(Protocols[i].Metadata.Span)) return false;
        return true;
    }

    public void AwaitJoin(TaskCompletionSource<JoinGroupResult> waiting)
    {
        // A client that lost its connection asks again; nobody reads the first answer.
        AnswerJoin(new() { Error = GroupError.RebalanceInProgress, MemberId = Id });
        join = waiting;
    }

    public void AwaitSync(TaskCompletionSource<SyncGroupResult> waiting)
    {
        AnswerSync(new() { Error = GroupError.RebalanceInProgress });
        sync = waiting;
    }

    public void AnswerJoin(JoinGroupResult result)
    {
        join?.TrySetResult(result);
        join = null;
    }

    /// <summary>Takes the waiting join out, to be answered later.</summary>
    public TaskCompletionSource<JoinGroupResult>? TakeJoin()
    {
        var waiting = join;
        join = null;
        return waiting;
    }

    public void AnswerSync(SyncGroupResult result)
    {
        sync?.TrySetResult(result);
        sync = null;
    }
}
