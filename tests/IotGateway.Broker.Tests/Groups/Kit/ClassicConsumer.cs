using IotGateway.Broker.Groups;
using IotGateway.Broker.Groups.Classic;
using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>Kafka's consumer by the classic protocol: an eager one gives everything up before it joins, a cooperative one only what it must.</summary>
sealed class ClassicConsumer(GroupFixture fixture, bool eager = false, string? instanceId = null)
{
    public string MemberId { get; private set; } = "";
    public int Generation { get; private set; } = -1;
    public HashSet<(string Topic, int Partition)> Owned { get; private set; } = [];
    public string[] Has => [.. Owned.Select(item => $"{item.Topic}-{item.Partition}").Order()];

    public Task<JoinGroupResult> JoinAsync()
    {
        if (eager) Owned = [];
        return fixture.Coordinator.JoinAsync(new()
        {
            ApiVersion = 9,
            GroupId = GroupFixture.GroupId,
            MemberId = MemberId,
            InstanceId = instanceId,
            SessionTimeoutMs = GroupFixture.Session,
            RebalanceTimeoutMs = GroupFixture.RebalanceTimeout,
            ProtocolType = "consumer",
            Protocols = [new(eager ? "range" : "cooperative-sticky", Metadata("presses"))],
            ClientId = "app",
            ClientHost = "/127.0.0.1",
        });
    }

    /// <summary>Joins a group whose broker assigns, and takes up what it gets; gives up what it must and joins again then.</summary>
    public void Join()
    {
        while (true)
        {
            var joined = fixture.Now(JoinAsync());
            if (joined.MemberId.Length > 0) MemberId = joined.MemberId;
            if (joined.Error == GroupError.MemberIdRequired) continue;
            Assert.Equal(GroupError.None, joined.Error);
            Generation = joined.Generation;
            var synced = fixture.Now(SyncAsync(joined.Protocol));
            Assert.Equal(GroupError.None, synced.Error);
            var assigned = ConsumerAssignment.Read(synced.Assignment).ToHashSet();
            var revokes = !Owned.IsSubsetOf(assigned);
            Owned = assigned;
            if (!revokes) return;
        }
    }

    /// <summary>As an only member joins a classic group, where it leads and assigns itself.</summary>
    public void JoinAlone(params (string Topic, int Partition)[] assigned)
    {
        MemberId = instanceId is null ? fixture.Now(JoinAsync()).MemberId : "";
        var joined = fixture.Now(JoinAsync());
        (MemberId, Generation) = (joined.MemberId, joined.Generation);
        Assert.Equal(joined.MemberId, joined.Leader);
        var synced = fixture.Now(SyncAsync(joined.Protocol, new MemberAssignment(MemberId, ConsumerAssignment.Write(3, assigned))));
        Assert.Equal(GroupError.None, synced.Error);
        Owned = [.. assigned];
    }

    public Task<SyncGroupResult> SyncAsync(string? protocol = null, params MemberAssignment[] assignments) => fixture.Coordinator.SyncAsync(new()
    {
        GroupId = GroupFixture.GroupId,
        Generation = Generation,
        MemberId = MemberId,
        InstanceId = instanceId,
        ProtocolType = "consumer",
        Protocol = protocol,
        Assignments = assignments,
    });

    public GroupError Beat() => fixture.Beat(Generation, MemberId, instanceId);

    /// <summary>A heartbeat, and joins when it is sent to.</summary>
    public void Follow()
    {
        var error = Beat();
        if (error == GroupError.UnknownMemberId) (MemberId, Generation, Owned) = ("", -1, []);
        if (error != GroupError.None) Join();
    }

    /// <summary>ConsumerProtocolSubscription, version 3.</summary>
    byte[] Metadata(string topic)
    {
        using KafkaWriter writer = new();
        writer.WriteInt16(3);
        writer.WriteStrings([topic], false, false);
        writer.WriteBytes(null, false, true);
        ConsumerAssignment.WritePartitions(writer, Owned);
        writer.WriteInt32(Generation);
        writer.WriteString(null, false, true);
        return writer.ToArray();
    }
}
