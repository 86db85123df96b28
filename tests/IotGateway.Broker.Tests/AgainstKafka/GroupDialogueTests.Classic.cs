using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Members by the classic protocol.</summary>
public sealed partial class GroupDialogueTests
{
    static short Of<TRequest>(short v) where TRequest : IKafkaMessage<TRequest> => Math.Min(v, TRequest.HighestVersion);

    [Fact]
    public async Task One_member_lives_alike_in_every_version()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        for (short v = 0; v <= JoinGroupRequest.HighestVersion; v++)
        {
            var (beat, sync, leave, describe) = (Of<HeartbeatRequest>(v), Of<SyncGroupRequest>(v), Of<LeaveGroupRequest>(v), Of<DescribeGroupsRequest>(v));
            var (me, group) = ($"m{v}", new GroupTalk(d, $"one.{v}"));
            await group.BeatAsync(beat, me);
            await group.SyncAsync(sync, me);
            await group.LeaveAsync(leave, me);
            await group.JoinAsync(v, me);
            if (v >= 4)
            {
                await group.BeatAsync(beat, me); // joined by half
                await group.SyncAsync(sync, me);
                await group.DescribeAsync(describe);
                await group.JoinAsync(v, me);
            }
            await group.DescribeAsync(describe);
            await group.BeatAsync(beat, me);
            await group.JoinAsync(v, me); // again, alike
            await group.SyncAsync(sync, me, ahead: 1);
            await group.SyncAsync(sync, me, ahead: -1);
            await group.SyncAsync(sync, "?nobody");
            await group.SyncAsync(sync, me, protocol: "roundrobin");
            await group.SyncAsync(sync, me, type: "connect");
            await group.SyncAsync(sync, me, type: null, protocol: null, assigned: [(me, [1, 2]), ("?nobody", [3])]);
            await group.SyncAsync(sync, me, assigned: [(me, [4])]); // too late
            await group.SyncAsync(sync, me, protocol: "roundrobin");
            await group.DescribeAsync(describe, operations: true);
            await group.BeatAsync(beat, me);
            await group.BeatAsync(beat, me, ahead: 1);
            await group.BeatAsync(beat, me, ahead: -1);
            await group.BeatAsync(beat, me, ahead: -100);
            await group.BeatAsync(beat, "?nobody");
            await group.BeatAsync(beat, "nothing");
            await group.BeatAsync(beat, me, instance: "unknown");
            await group.JoinAsync(v, me); // the leader: a rebalance
            await group.BeatAsync(beat, me);
            await group.SyncAsync(sync, me, assigned: []);
            await group.JoinAsync(v, me, protocols: [("range", GroupTalk.Subscription("t", "u"))]);
            await group.SyncAsync(sync, me, assigned: [(me, [])]);
            await group.JoinAsync(v, "?nobody");
            await group.JoinAsync(v, me, type: "connect");
            await group.JoinAsync(v, me, type: "");
            await group.JoinAsync(v, me, protocols: [("none", [])]);
            await group.JoinAsync(v, me, protocols: [("mine", [])]);
            await group.JoinAsync(v, me, protocols: [("mine", []), ("range", GroupTalk.Subscription("t"))]);
            await group.SyncAsync(sync, me, protocol: "mine", assigned: [(me, [5])]);
            await group.LeaveAsync(leave, "?nobody");
            await group.LeaveAsync(leave, me);
            await group.LeaveAsync(leave, me);
            await group.BeatAsync(beat, me);
            await group.SyncAsync(sync, me);
            await group.JoinAsync(v, me);
            await group.DescribeAsync(describe);
        }
        d.Judge();
    }

    [Fact]
    public async Task Joins_are_refused_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        for (short v = 0; v <= JoinGroupRequest.HighestVersion; v++)
        {
            GroupTalk none = new(d, ""), group = new(d, $"refused.{v}");
            await none.JoinAsync(v, "x");
            await none.JoinAsync(v, "?x");
            await none.SyncAsync(Of<SyncGroupRequest>(v), "?x");
            await none.BeatAsync(Of<HeartbeatRequest>(v), "?x");
            await none.LeaveAsync(Of<LeaveGroupRequest>(v), "?x");
            foreach (var session in new[] { -1, 0, 5999, 1_800_001, int.MaxValue }) await group.JoinAsync(v, $"s{v}", session: session);
            await group.JoinAsync(v, "?unknown");
            await group.JoinAsync(v, "?unknown", instance: "i");
            await group.JoinAsync(v, $"p{v}", protocols: [("none", [])]);
            await group.JoinAsync(v, $"t{v}", type: "");
            await group.JoinAsync(v, $"n{v}", protocols: [("", [])]);
            foreach (var instance in v >= 5 ? ["", "white space", "."] : Array.Empty<string>()) await new GroupTalk(d, $"refused.{v}.{instance}").JoinAsync(v, $"i{v}{instance}", instance);
            await group.BeatAsync(Of<HeartbeatRequest>(v), "?x", instance: "");
            await group.LeaveAsync(Of<LeaveGroupRequest>(v));
            await group.DescribeAsync();
        }
        // Another type than the group's, and protocols that not all have.
        var taken = new GroupTalk(d, "refused.type");
        await taken.JoinAsync(3, "c", type: "connect", protocols: [("a", [1]), ("b", [2])]);
        await taken.SyncAsync(5, "c", type: "connect", protocol: "a", assigned: [("c", [9])]);
        await taken.JoinAsync(3, "d", type: "consumer");
        await taken.JoinAsync(9, "d", type: "connect", protocols: [("c", [1])]);
        await taken.JoinAsync(9, "?d", type: "connect", protocols: [("b", [1])]);
        await taken.DescribeAsync();
        await taken.LeaveAsync(0, "c");
        await taken.DescribeAsync();
        await taken.JoinAsync(3, "e", type: "consumer"); // empty: another type may come
        await taken.DescribeAsync();
        d.Deviates(ApiKey.JoinGroup, @"^\.(ErrorCode|MemberId) = (25|-1|""""|member)", "Kafka itself fails (UNKNOWN_SERVER_ERROR) on an instance id under a member id that waits to be used");
        var half = new GroupTalk(d, "refused.half");
        await half.JoinAsync(9, "h");
        await half.JoinAsync(9, "h", instance: "i");
        d.Judge();
    }

    [Fact]
    public async Task Two_members_rebalance_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        for (short v = 0; v <= JoinGroupRequest.HighestVersion; v++)
        {
            var (beat, sync, leave, describe) = (Of<HeartbeatRequest>(v), Of<SyncGroupRequest>(v), Of<LeaveGroupRequest>(v), Of<DescribeGroupsRequest>(v));
            var (a, b, group) = ($"a{v}", $"b{v}", new GroupTalk(d, $"two.{v}"));
            (string, byte[])[] ofA = [("mine", [9]), ("range", GroupTalk.Subscription("t")), ("sticky", [7])], ofB = [("range", GroupTalk.Subscription("u")), ("sticky", [8])];
            async Task AdmitAsync(string who, (string, byte[])[] offers)
            {
                if (v >= 4) await group.JoinAsync(v, who, protocols: offers, by: who);
                await group.SendJoinAsync(v, who, protocols: offers);
            }
            await AdmitAsync(a, ofA);
            await group.HearJoinAsync(v, a);
            await group.SyncAsync(sync, a, protocol: "mine", assigned: [(a, [1])]);
            await AdmitAsync(b, ofB);
            await group.UntilAsync("PreparingRebalance");
            await group.BeatAsync(beat, a);
            await group.BeatAsync(beat, a, ahead: 1);
            await group.SyncAsync(sync, a);
            await group.DescribeAsync(describe);
            await group.SendJoinAsync(v, a, protocols: ofA);
            await group.HearJoinAsync(v, a);
            await group.HearJoinAsync(v, b);
            await group.DescribeAsync(describe);
            await group.BeatAsync(beat, b);
            await group.JoinAsync(v, b, protocols: ofB); // its answer was lost
            await d.SendAsync(group.Syncing(sync, b), sync, b); // waits for the leader
            await group.SyncAsync(sync, a, assigned: [(a, [1]), (b, [2])]);
            await d.HearAsync<SyncGroupRequest, SyncGroupResponse>(sync, b);
            await group.DescribeAsync(describe);
            await group.BeatAsync(beat, b);
            await group.JoinAsync(v, b, protocols: ofB); // nothing new: no rebalance
            await group.SendJoinAsync(v, b, protocols: ofA); // other protocols: a rebalance
            await group.UntilAsync("PreparingRebalance");
            await group.BeatAsync(beat, a);
            await group.SendJoinAsync(v, a, protocols: ofA);
            await group.HearJoinAsync(v, b);
            await group.HearJoinAsync(v, a);
            await d.SendAsync(group.Syncing(sync, b), sync, b);
            await group.LeaveAsync(leave, a); // the leader, before it assigned
            await d.HearAsync<SyncGroupRequest, SyncGroupResponse>(sync, b);
            await group.BeatAsync(beat, b);
            await group.JoinAsync(v, b, protocols: ofA);
            await group.DescribeAsync(describe);
            await group.SyncAsync(sync, b, assigned: [(b, [3])]);
            await AdmitAsync(a, [("nowhere", [1])]); // nothing in common
            await group.HearJoinAsync(v, a);
            await group.DescribeAsync(describe);
            if (v >= 3) await group.LeaveAsync(leave, [(b, null), ("?nobody", null), (b, null), ("nothing", "unknown"), ("nothing", null)]);
            else await group.LeaveAsync(leave, b);
            await group.DescribeAsync(describe);
        }
        d.Judge();
    }

    [Fact]
    public async Task Static_members_are_replaced_and_fenced_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        for (short v = 5; v <= JoinGroupRequest.HighestVersion; v++)
        {
            var (beat, sync, leave, describe, commit) = (Of<HeartbeatRequest>(v), Of<SyncGroupRequest>(v), Of<LeaveGroupRequest>(v), Of<DescribeGroupsRequest>(v), Of<OffsetCommitRequest>(v));
            var (one, former, next, other, group) = ($"one{v}", $"former{v}", $"next{v}", $"other{v}", new GroupTalk(d, $"static.{v}"));
            await group.JoinAsync(v, one, instance: "i");
            await group.SyncAsync(sync, one, instance: "i", assigned: [(one, [1])]);
            await d.WithBothAsync(side => { side.Known[former] = side.Known[one]; return Task.CompletedTask; });
            await group.DescribeAsync(describe);
            await group.JoinAsync(v, next, instance: "i"); // back without its id: nothing moves
            await group.DescribeAsync(describe);
            await group.BeatAsync(beat, former, instance: "i");
            await group.BeatAsync(beat, former);
            await group.SyncAsync(sync, former, instance: "i");
            await group.SyncAsync(sync, former);
            await group.JoinAsync(v, former, instance: "i");
            await group.JoinAsync(v, former);
            await group.CommitAsync(commit, former, side => GroupTalk.Generation(side, $"static.{v}"), instance: "i");
            await group.CommitAsync(commit, former, side => GroupTalk.Generation(side, $"static.{v}"));
            await group.LeaveAsync(leave, [(former, "i")]);
            await group.BeatAsync(beat, next, instance: "i");
            await group.BeatAsync(beat, next); // without its instance id
            await group.BeatAsync(beat, next, instance: "j");
            await group.BeatAsync(beat, "nothing", instance: "i");
            await group.SyncAsync(sync, next, instance: "i", assigned: [(next, [2])]);
            await group.CommitAsync(commit, next, side => GroupTalk.Generation(side, $"static.{v}"), instance: "i");
            await group.JoinAsync(v, next, instance: "i"); // known, and leads
            await group.SyncAsync(sync, next, instance: "i", assigned: [(next, [3])]);
            await group.SendJoinAsync(v, other, instance: "k");
            await group.UntilAsync("PreparingRebalance");
            await group.JoinAsync(v, next, instance: "i");
            await group.HearJoinAsync(v, other);
            await d.SendAsync(group.Syncing(sync, other, "k"), sync, other);
            await group.SyncAsync(sync, next, instance: "i", assigned: [(next, [1]), (other, [2])]);
            await d.HearAsync<SyncGroupRequest, SyncGroupResponse>(sync, other);
            await group.JoinAsync(v, $"third{v}", instance: "k"); // a follower is back
            await group.JoinAsync(v, $"fourth{v}", instance: "i"); // the leader is back
            await group.DescribeAsync(describe);
            await group.JoinAsync(v, $"fifth{v}", instance: "k", protocols: [("range", GroupTalk.Subscription("u"))]); // back, and reads another topic
            await group.DescribeAsync(describe);
            await group.SendJoinAsync(v, $"fourth{v}", instance: "i");
            await group.UntilAsync("PreparingRebalance");
            await group.DescribeAsync(describe);
            await group.LeaveAsync(leave, [("nothing", "i"), ("nothing", "unknown"), ("?nobody", "k")]);
            await group.HearJoinAsync(v, $"fourth{v}");
            await group.DescribeAsync(describe);
            await group.LeaveAsync(leave, [($"fifth{v}", null)]);
            await group.DescribeAsync(describe);
        }
        d.Judge();
    }
}
