using System.Runtime.CompilerServices;
using IotGateway.Broker.Groups.Classic;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>
/// What clients of one group say, to both brokers of a dialogue. A member goes by a name of the test; the id a broker gave it, its generation and its epoch are kept
/// under that name, on each side its own.
/// </summary>
sealed class GroupTalk(Dialogue d, string group)
{
    const string Main = "main";

    /// <summary>As the Java consumer's subscription.</summary>
    public static byte[] Subscription(params string[] topics)
    {
        using var writer = new KafkaWriter();
        writer.WriteInt16(1);
        writer.WriteStrings([.. topics], false, false);
        writer.WriteBytes(null, false, true);
        writer.WriteInt32(0); // it has no partitions
        return writer.ToArray();
    }

    /// <summary>As the Java consumer's assignment.</summary>
    public static byte[] Assignment(string topic, params int[] partitions) => ConsumerAssignment.Write(1, partitions.Select(p => (topic, p)));

    public static string Id(Dialogue.Side side, string who) => side.Known.TryGetValue(who, out var id) ? (string)id : who.StartsWith('?') ? who : "";

    public static int Generation(Dialogue.Side side, string group) => side.Known.TryGetValue("generation of " + group, out var known) ? (int)known : -1;

    public static int Epoch(Dialogue.Side side, string who) => side.Known.TryGetValue("epoch of " + who, out var known) ? (int)known : 0;

    /// <summary>A JoinGroup request; of a consumer of the topic "t" where nothing else is said.</summary>
    public Func<Dialogue.Side, JoinGroupRequest> Joining(string who, string? instance = null, int session = 30_000, int rebalance = 60_000, string type = "consumer", params (string Name, byte[] Metadata)[] protocols) => side => new()
    {
        GroupId = group, MemberId = Id(side, who), GroupInstanceId = instance, SessionTimeoutMs = session, RebalanceTimeoutMs = rebalance, ProtocolType = type,
        Protocols = [.. (protocols.Length == 0 ? [("range", Subscription("t"))] : protocols).Where(p => p.Name != "none").Select(p => new JoinGroupRequest.JoinGroupRequestProtocol { Name = p.Name, Metadata = p.Metadata })],
    };

    public Task JoinAsync(short v, string who, string? instance = null, int session = 30_000, int rebalance = 60_000, string type = "consumer", string by = Main, (string, byte[])[]? protocols = null, [CallerLineNumber] int line = 0)
        => d.AskAsync<JoinGroupRequest, JoinGroupResponse>(Joining(who, instance, session, rebalance, type, protocols ?? []), v, Joined(who), sorted: true, by: by, line: line);

    /// <summary>Joins, by its own connection; the answer waits for others.</summary>
    public Task SendJoinAsync(short v, string who, string? instance = null, int session = 30_000, int rebalance = 60_000, (string, byte[])[]? protocols = null)
        => d.SendAsync(Joining(who, instance, session, rebalance, protocols: protocols ?? []), v, who);

    public Task HearJoinAsync(short v, string who, [CallerLineNumber] int line = 0) => d.HearAsync<JoinGroupRequest, JoinGroupResponse>(v, who, Joined(who), sorted: true, line);

    public Task SyncAsync(short v, string who, string? instance = null, int ahead = 0, string? type = "consumer", string? protocol = "range", string by = Main, (string Who, byte[] What)[]? assigned = null, [CallerLineNumber] int line = 0)
        => d.AskAsync<SyncGroupRequest, SyncGroupResponse>(Syncing(v, who, instance, ahead, type, protocol, assigned), v, by: by, line: line);

    public Func<Dialogue.Side, SyncGroupRequest> Syncing(short v, string who, string? instance = null, int ahead = 0, string? type = "consumer", string? protocol = "range", (string Who, byte[] What)[]? assigned = null) => side => new()
    {
        GroupId = group, MemberId = Id(side, who), GroupInstanceId = instance, GenerationId = Generation(side, group) + ahead, ProtocolType = v >= 5 ? type : null, ProtocolName = v >= 5 ? protocol : null,
        Assignments = [.. (assigned ?? []).Select(a => new SyncGroupRequest.SyncGroupRequestAssignment { MemberId = Id(side, a.Who), Assignment = a.What })],
    };

    public Task BeatAsync(short v, string who, string? instance = null, int ahead = 0, [CallerLineNumber] int line = 0) => d.AskAsync<HeartbeatRequest, HeartbeatResponse>(side
        => new() { GroupId = group, MemberId = Id(side, who), GroupInstanceId = instance, GenerationId = Generation(side, group) + ahead }, v, line: line);

    public Task LeaveAsync(short v, (string Who, string? Instance)[] who, [CallerLineNumber] int line = 0) => d.AskAsync<LeaveGroupRequest, LeaveGroupResponse>(side => new()
    {
        GroupId = group, MemberId = who.Length > 0 ? Id(side, who[0].Who) : "",
        Members = [.. who.Select(w => new LeaveGroupRequest.MemberIdentity { MemberId = Id(side, w.Who), GroupInstanceId = w.Instance })],
    }, v, line: line);

    public Task LeaveAsync(short v, params string[] who) => LeaveAsync(v, [.. who.Select(w => (w, (string?)null))]);

    public Task DescribeAsync(short v = 6, bool operations = false, [CallerLineNumber] int line = 0) => d.AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(
        _ => new() { Groups = [group], IncludeAuthorizedOperations = operations }, v, sorted: true, line: line);

    /// <summary>Waits, on both sides, until the group is in that state.</summary>
    public Task UntilAsync(string state) => d.WithBothAsync(side => Dialogue.UntilAsync(side, async () =>
    {
        var told = await (await side.ReadyAsync("waiting")).CallAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new() { Groups = [group] }, 5);
        return told.Groups[0].GroupState == state ? null : $"the group stays {told.Groups[0].GroupState}, not {state}";
    }));

    /// <summary>A ConsumerGroupHeartbeat with the epoch known, changed by the caller as it likes.</summary>
    public Task FollowAsync(short v, string who, Action<Dialogue.Side, ConsumerGroupHeartbeatRequest>? change = null, [CallerLineNumber] int line = 0) => d.AskAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(side =>
    {
        var request = new ConsumerGroupHeartbeatRequest { GroupId = group, MemberId = Id(side, who), MemberEpoch = Epoch(side, who) };
        change?.Invoke(side, request);
        return request;
    }, v, Followed(who), sorted: true, line: line);

    /// <summary>Joins by the consumer protocol.</summary>
    public Task EnterAsync(short v, string who, Action<Dialogue.Side, ConsumerGroupHeartbeatRequest>? change = null, [CallerLineNumber] int line = 0) => FollowAsync(v, who, (side, request) =>
    {
        (request.MemberEpoch, request.RebalanceTimeoutMs, request.SubscribedTopicNames, request.TopicPartitions) = (0, 60_000, ["t"], []);
        change?.Invoke(side, request);
    }, line);

    public Task DescribeConsumersAsync(short v = 1, bool operations = false, [CallerLineNumber] int line = 0) => d.AskAsync<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(
        _ => new() { GroupIds = [group], IncludeAuthorizedOperations = operations }, v, sorted: true, line: line);

    /// <summary>Commits an offset of a partition of the topic "t".</summary>
    public Task CommitAsync(short v, string who = "nobody", Func<Dialogue.Side, int>? generation = null, string? instance = null, string topic = "t", int partition = 0, long offset = 5, string? metadata = "m", int epoch = -1, [CallerLineNumber] int line = 0)
        => d.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(side => new()
        {
            GroupId = group, MemberId = Id(side, who), GroupInstanceId = instance, GenerationIdOrMemberEpoch = generation?.Invoke(side) ?? -1,
            Topics =
            [
                new()
                {
                    Name = v >= 10 ? "" : topic, TopicId = v >= 10 ? Topic(side, topic) : default,
                    Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset, CommittedMetadata = metadata, CommittedLeaderEpoch = epoch }],
                },
            ],
        }, v, line: line);

    /// <summary>The id of a topic, where the test has asked for it; else one that no topic has.</summary>
    public static Guid Topic(Dialogue.Side side, string topic) => side.Known.TryGetValue("topic " + topic, out var id) ? (Guid)id : new Guid("00000000-0000-0001-0000-000000000001");

    Action<Dialogue.Side, JoinGroupResponse> Joined(string who) => (side, answer) =>
    {
        if (answer.MemberId.Length > 0) side.Known[who] = answer.MemberId;
        if (answer.ErrorCode == 0) side.Known["generation of " + group] = answer.GenerationId;
    };

    static Action<Dialogue.Side, ConsumerGroupHeartbeatResponse> Followed(string who) => (side, answer) =>
    {
        if (answer.ErrorCode != 0) return;
        side.Known[who] = answer.MemberId!;
        side.Known["epoch of " + who] = answer.MemberEpoch;
    };
}
