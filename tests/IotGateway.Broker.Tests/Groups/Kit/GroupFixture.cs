using System.Text;
using IotGateway.Broker.Groups;
using IotGateway.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>A coordinator on manual time, in-memory tables and made-up topics, with short names for what members do.</summary>
sealed class GroupFixture : IAsyncDisposable
{
    public const string GroupId = "line-1";
    public const int Session = 10_000;
    public const int RebalanceTimeout = 60_000;

    LogClock clock = null!;

    public GroupFixture(GroupOptions? options = null)
    {
        Options = options ?? new();
        Topics.Add("presses", 4);
        Topics.Add("ovens", 2);
        Coordinator = Open(Store, null);
    }

    public GroupOptions Options { get; set; }
    public ManualTime Time { get; } = new();
    public MemoryGroupStore Store { get; private set; } = new();
    public FakeTopics Topics { get; } = new();
    public GroupCoordinator Coordinator { get; private set; }

    public async ValueTask DisposeAsync() => await Coordinator.DisposeAsync();

    GroupCoordinator Open(MemoryGroupStore store, long? last) => GroupCoordinator.Open(Options, store, Topics, clock = new(Time, last), Time, NullLogger.Instance);

    /// <summary>As after kill -9: only what was durable is there.</summary>
    public async Task RestartAsync()
    {
        Store = Store.Copy();
        await Coordinator.DisposeAsync();
        Coordinator = Open(Store, clock.Now);
        Time.Advance(0);
    }

    public Task<JoinGroupResult> Join(
        string memberId = "", string? instanceId = null, int version = 9, string type = "consumer", string protocols = "range",
        string metadata = "m", int session = Session, int rebalance = RebalanceTimeout, string group = GroupId)
        => Coordinator.JoinAsync(new()
        {
            ApiVersion = version,
            GroupId = group,
            MemberId = memberId,
            InstanceId = instanceId,
            SessionTimeoutMs = session,
            RebalanceTimeoutMs = rebalance,
            ProtocolType = type,
            Protocols = [.. protocols.Split(',').Select(name => new JoinProtocol(name, Bytes(metadata)))],
            ClientId = "app",
            ClientHost = "/127.0.0.1",
        });

    /// <summary>A member id, got as a client gets it.</summary>
    public string NewMemberId()
    {
        var refused = Now(Join());
        Assert.Equal(GroupError.MemberIdRequired, refused.Error);
        return refused.MemberId;
    }

    public Task<SyncGroupResult> Sync(int generation, string memberId, string? instanceId = null, params (string Member, string Assignment)[] assignments)
        => Coordinator.SyncAsync(new()
        {
            GroupId = GroupId,
            Generation = generation,
            MemberId = memberId,
            InstanceId = instanceId,
            Assignments = [.. assignments.Select(item => new MemberAssignment(item.Member, Bytes(item.Assignment)))],
        });

    public GroupError Beat(int generation, string memberId, string? instanceId = null)
        => Coordinator.Heartbeat(new(GroupId, generation, memberId, instanceId));

    public LeaveGroupResult Leave(params (string Member, string? Instance)[] members) => Coordinator.Leave(new()
    {
        ApiVersion = 5,
        GroupId = GroupId,
        Members = [.. members.Select(member => new LeavingMember(member.Member, member.Instance))],
    });

    /// <summary>A stable group of so many dynamic members, the first of which leads; each is assigned "a" and its index.</summary>
    public (int Generation, string[] Members) Stable(int count = 1)
    {
        List<string> members = [];
        var generation = 0;
        for (var i = 0; i < count; i++)
        {
            members.Insert(0, NewMemberId());
            foreach (var join in members.Select(id => Join(id)).ToArray())
            {
                Assert.Equal(GroupError.None, Now(join).Error);
                generation = Now(join).Generation;
            }
        }
        members.Reverse();
        return (generation, SyncAll(generation, [.. members]));
    }

    /// <summary>Lets every member sync, the leader (first) last.</summary>
    public string[] SyncAll(int generation, params string[] members)
    {
        var waiting = members[1..].Select(id => Sync(generation, id)).ToArray();
        Assert.All(waiting, sync => Assert.False(sync.IsCompleted));
        var leader = Sync(generation, members[0], null, [.. members.Select((id, i) => (id, $"a{i}"))]);
        Assert.All(waiting, sync => Assert.Equal(GroupError.None, Now(sync).Error));
        Assert.Equal("a0", Text(Now(leader).Assignment));
        return members;
    }

    /// <summary>The state DescribeGroups shows.</summary>
    public string State(string group = GroupId) => Coordinator.Describe([group], 5)[0].State;

    public async Task<GroupError> CommitAsync(
        long offset, int generation = -1, string memberId = "", string? instanceId = null, string topic = "presses", int partition = 0,
        string? metadata = null, int version = 8, long retention = -1, string group = GroupId)
    {
        var result = await Coordinator.CommitOffsetsAsync(new()
        {
            ApiVersion = version,
            GroupId = group,
            GenerationOrEpoch = generation,
            MemberId = memberId,
            InstanceId = instanceId,
            RetentionMs = retention,
            Topics = [new(topic, [new(partition, offset, 7, metadata)])],
        });
        return Assert.Single(Assert.Single(result.Topics).Partitions).Error;
    }

    public long Fetch(string topic = "presses", int partition = 0, string group = GroupId)
        => Coordinator.FetchOffsets(new() { GroupId = group, Topics = [new(topic, [partition])] }).Topics[0].Partitions[0].Offset;

    /// <summary>The result of what must be answered already.</summary>
    public T Now<T>(Task<T> task)
    {
        Assert.True(task.IsCompleted, "There is no answer yet.");
        return task.GetAwaiter().GetResult();
    }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
