using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>Members that fall silent, and what they hold up. The groups of a test wait together: the shortest session takes 6 s.</summary>
public sealed partial class GroupDialogueTests
{
    const int Session = 6000, Rebalance = 3000; // ms

    [Fact]
    public async Task Members_whose_session_ends_are_put_out_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        short[] versions = [0, 4, 5, 9];
        GroupTalk Talk(string name, short v) => new(d, $"silent.{name}.{v}");
        foreach (var v in versions)
        {
            await StableAsync(Talk("alone", v), v, $"alone{v}", session: Session);
            var pair = Talk("pair", v);
            await StableAsync(pair, v, $"stays{v}");
            await SecondAsync(d, pair, v, $"stays{v}", $"goes{v}");
            if (v >= 4) await Talk("half", v).JoinAsync(v, $"half{v}", session: Session);
            if (v < 5) continue;
            await StableAsync(Talk("static", v), v, $"static{v}", "i", Session);
            var fixedPair = Talk("pair.static", v);
            await StableAsync(fixedPair, v, $"moves{v}");
            await SecondAsync(d, fixedPair, v, $"moves{v}", $"stands{v}", "i");
        }
        foreach (var v in versions)
        {
            var (beat, sync, describe, commit) = (Of<HeartbeatRequest>(v), Of<SyncGroupRequest>(v), Of<DescribeGroupsRequest>(v), Of<OffsetCommitRequest>(v));
            await GoneAsync(Talk("alone", v), $"silent.alone.{v}", $"alone{v}");
            if (v >= 5) await GoneAsync(Talk("static", v), $"silent.static.{v}", $"static{v}", "i");
            await LeftAloneAsync(Talk("pair", v), $"silent.pair.{v}", $"stays{v}", $"goes{v}");
            if (v >= 5) await LeftAloneAsync(Talk("pair.static", v), $"silent.pair.static.{v}", $"moves{v}", $"stands{v}", "i");
            if (v >= 4)
            {
                var half = Talk("half", v);
                await half.JoinAsync(v, $"half{v}");
                await half.DescribeAsync(describe);
                await half.JoinAsync(v, $"new.half{v}");
            }

            async Task GoneAsync(GroupTalk group, string name, string who, string? instance = null)
            {
                await group.UntilAsync("Empty");
                await group.DescribeAsync(describe);
                await group.BeatAsync(beat, who, instance);
                await group.BeatAsync(beat, who, instance, ahead: 1);
                await group.SyncAsync(sync, who, instance);
                await group.CommitAsync(commit, who, side => GroupTalk.Generation(side, name), instance);
                await group.CommitAsync(commit, who, side => GroupTalk.Generation(side, name) + 1, instance);
                await group.LeaveAsync(Of<LeaveGroupRequest>(v), [(who, instance)]);
                await group.JoinAsync(v, who, instance);
                await group.CommitAsync(commit); // by nobody: nobody is there
                await group.JoinAsync(v, $"new.{who}", instance);
                await group.JoinAsync(v, $"new.{who}", instance);
                await group.DescribeAsync(describe);
            }

            async Task LeftAloneAsync(GroupTalk group, string name, string stays, string goes, string? instance = null)
            {
                await group.UntilAsync("PreparingRebalance");
                await group.DescribeAsync(describe);
                await group.BeatAsync(beat, stays);
                await group.BeatAsync(beat, goes, instance);
                await group.CommitAsync(commit, goes, side => GroupTalk.Generation(side, name), instance);
                await group.CommitAsync(commit, stays, side => GroupTalk.Generation(side, name));
                await group.SyncAsync(sync, stays);
                await group.SyncAsync(sync, goes, instance);
                await group.JoinAsync(v, stays);
                await group.BeatAsync(beat, stays);
                await group.SyncAsync(sync, stays, assigned: [(stays, [4])]);
                await group.JoinAsync(v, goes, instance);
                await group.DescribeAsync(describe);
            }
        }
        d.Judge();
    }

    [Fact]
    public async Task Rebalances_wait_as_long_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        short[] versions = [1, 5, 9];
        GroupTalk Talk(string name, short v) => new(d, $"held.{name}.{v}");
        foreach (var v in versions)
        {
            var sync = Of<SyncGroupRequest>(v);
            // Joined, and then no word.
            await AdmitAsync(Talk("unsynced", v), v, $"mute{v}");
            await Talk("unsynced", v).HearJoinAsync(v, $"mute{v}");
            // The second has asked for its assignment, the leader is silent.
            var leaderless = Talk("leaderless", v);
            await StableAsync(leaderless, v, $"leader{v}", rebalance: Rebalance);
            await JoinBothAsync(leaderless, v, $"leader{v}", $"second{v}");
            await d.SendAsync(leaderless.Syncing(sync, $"second{v}"), sync, $"second{v}");
            // A third comes, the first is back, the second is not.
            await ThirdAsync("late", null);
            if (v >= 5) await ThirdAsync("late.static", "i");

            async Task ThirdAsync(string name, string? instance)
            {
                var group = Talk(name, v);
                await StableAsync(group, v, $"{name}.first{v}", rebalance: Rebalance);
                await SecondAsync(d, group, v, $"{name}.first{v}", $"{name}.second{v}", instance, session: 30_000, rebalance: Rebalance);
                await AdmitAsync(group, v, $"{name}.third{v}", rebalance: Rebalance);
                await group.UntilAsync("PreparingRebalance");
                await group.SendJoinAsync(v, $"{name}.first{v}", rebalance: Rebalance);
            }
        }
        foreach (var v in versions)
        {
            var (beat, sync, describe) = (Of<HeartbeatRequest>(v), Of<SyncGroupRequest>(v), Of<DescribeGroupsRequest>(v));
            var unsynced = Talk("unsynced", v);
            await unsynced.UntilAsync("Empty");
            await unsynced.DescribeAsync(describe);
            await unsynced.BeatAsync(beat, $"mute{v}");
            await unsynced.SyncAsync(sync, $"mute{v}", assigned: [($"mute{v}", [1])]);
            await unsynced.JoinAsync(v, $"mute{v}");
            var leaderless = Talk("leaderless", v);
            await d.HearAsync<SyncGroupRequest, SyncGroupResponse>(sync, $"second{v}");
            await leaderless.DescribeAsync(describe);
            await leaderless.BeatAsync(beat, $"leader{v}");
            await leaderless.BeatAsync(beat, $"second{v}");
            await leaderless.SyncAsync(sync, $"leader{v}");
            await leaderless.JoinAsync(v, $"second{v}");
            await leaderless.JoinAsync(v, $"leader{v}");
            await leaderless.SyncAsync(sync, $"second{v}", assigned: [($"second{v}", [2])]);
            await leaderless.DescribeAsync(describe);
            await GoneOnAsync("late", null);
            if (v >= 5) await GoneOnAsync("late.static", "i");

            async Task GoneOnAsync(string name, string? instance)
            {
                var group = Talk(name, v);
                await group.HearJoinAsync(v, $"{name}.first{v}");
                await group.HearJoinAsync(v, $"{name}.third{v}");
                await group.DescribeAsync(describe);
                await group.BeatAsync(beat, $"{name}.second{v}", instance);
                await d.SendAsync(group.Syncing(sync, $"{name}.third{v}"), sync, $"{name}.third{v}");
                await group.SyncAsync(sync, $"{name}.first{v}", assigned: [($"{name}.first{v}", [1]), ($"{name}.third{v}", [2]), ($"{name}.second{v}", [3])]);
                await d.HearAsync<SyncGroupRequest, SyncGroupResponse>(sync, $"{name}.third{v}");
                await group.SyncAsync(sync, $"{name}.second{v}", instance);
                await group.DescribeAsync(describe);
            }
        }
        d.Judge();
    }

    [Fact]
    public async Task Silent_consumers_are_put_out_alike()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var d = await BeginAsync(broker);
        GroupTalk alone = Talk("alone"), pair = Talk("pair"), away = Talk("away"), holder = Talk("holder"), unsynced = Talk("unsynced"), classic = Talk("classic"), late = Talk("late");
        GroupTalk Talk(string name) => new(d, $"asleep.{name}");
        foreach (var name in new[] { "alone", "pair", "away" })
        {
            await d.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(_ => new()
            {
                Resources = [new() { ResourceType = 32, ResourceName = $"asleep.{name}", Configs = [new() { Name = "consumer.session.timeout.ms", Value = $"{Session}" }] }],
            }, 1);
            await d.WithBothAsync(side => Dialogue.UntilAsync(side, async () =>
            {
                var told = await (await side.ReadyAsync("waiting")).CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
                    new() { Resources = [new() { ResourceType = 32, ResourceName = $"asleep.{name}", ConfigurationKeys = ["consumer.session.timeout.ms"] }] }, 4);
                return told.Results[0].Configs.Exists(c => c.Value == $"{Session}") ? null : "has its old session timeout";
            }));
        }
        // One that goes on, one that does not.
        await pair.EnterAsync(1, "?stays");
        await pair.FollowAsync(1, "?stays", Has(0, 1));
        await pair.EnterAsync(1, "?goes");
        await pair.FollowAsync(1, "?stays", Has(0));
        await pair.FollowAsync(1, "?goes", Has());
        await pair.FollowAsync(1, "?goes", Has(1));
        await pair.DescribeConsumersAsync();
        await alone.EnterAsync(1, "?alone");
        await alone.FollowAsync(1, "?alone", Has(0, 1));
        await away.EnterAsync(1, "?away", (_, r) => r.InstanceId = "i");
        await away.FollowAsync(1, "?away", (_, r) => (r.InstanceId, r.MemberEpoch) = ("i", -2));
        // One that keeps what it is to give up, and beats no more.
        await holder.EnterAsync(1, "?holds", (_, r) => r.RebalanceTimeoutMs = Rebalance);
        await holder.FollowAsync(1, "?holds", Has(0, 1));
        await holder.EnterAsync(1, "?waits");
        await holder.FollowAsync(1, "?holds"); // is told to give one up
        // Members by the classic protocol: one that asks for no assignment, one that is silent, one that does not join again.
        await BesideConsumerAsync(unsynced, "?host.u", "guest.u", 30_000);
        await BesideConsumerAsync(classic, "?host.c", "guest.c", Session);
        await classic.SyncAsync(5, "guest.c");
        await BesideConsumerAsync(late, "?host.l", "guest.l", 30_000);
        await late.SyncAsync(5, "guest.l");
        await late.FollowAsync(1, "?host.l", (_, r) => (r.RebalanceTimeoutMs, r.SubscribedTopicNames, r.TopicPartitions) = (60_000, [], []));
        await late.BeatAsync(4, "guest.l");

        await LastsAsync("asleep.holder", 1);
        await holder.DescribeConsumersAsync();
        await holder.FollowAsync(1, "?holds");
        await holder.FollowAsync(1, "?waits", Has());
        await holder.DescribeConsumersAsync();
        await LastsAsync("asleep.unsynced", 1);
        await OutAsync(unsynced, "?host.u", "guest.u");
        await LastsAsync("asleep.late", 1);
        await OutAsync(late, "?host.l", "guest.l");
        await LastsAsync("asleep.pair", 1, "?stays");
        await pair.DescribeConsumersAsync();
        await pair.FollowAsync(1, "?goes");
        await pair.CommitAsync(9, "?goes", side => GroupTalk.Epoch(side, "?goes"));
        await pair.FollowAsync(1, "?stays", Has(0, 1));
        await pair.DescribeConsumersAsync();
        await LastsAsync("asleep.classic", 1);
        await OutAsync(classic, "?host.c", "guest.c");
        await LastsAsync("asleep.alone", 0);
        await alone.DescribeConsumersAsync();
        await alone.FollowAsync(1, "?alone");
        await alone.CommitAsync(9, "?alone", side => GroupTalk.Epoch(side, "?alone"));
        await alone.EnterAsync(1, "?alone");
        await alone.DescribeConsumersAsync();
        await LastsAsync("asleep.away", 0);
        await away.DescribeConsumersAsync();
        await away.FollowAsync(1, "?away", (_, r) => (r.InstanceId, r.MemberEpoch) = ("i", 1));
        await away.EnterAsync(1, "?back", (_, r) => r.InstanceId = "i");
        await away.DescribeConsumersAsync();
        d.Judge();

        static Action<Dialogue.Side, ConsumerGroupHeartbeatRequest> Has(params int[] partitions)
            => (side, r) => r.TopicPartitions = partitions.Length == 0 ? [] : [new() { TopicId = GroupTalk.Topic(side, "t"), Partitions = [.. partitions] }];

        async Task BesideConsumerAsync(GroupTalk group, string host, string guest, int session)
        {
            await group.EnterAsync(1, host);
            await group.JoinAsync(9, guest, session: session, rebalance: Rebalance);
            await group.JoinAsync(9, guest, session: session, rebalance: Rebalance);
        }

        async Task OutAsync(GroupTalk group, string host, string guest)
        {
            await group.DescribeConsumersAsync();
            await group.BeatAsync(4, guest);
            await group.SyncAsync(5, guest);
            await group.JoinAsync(9, guest);
            await group.FollowAsync(1, host);
            await group.DescribeConsumersAsync();
        }

        // Until both have so many members in that group. One may beat meanwhile, on both sides, and know its newest epoch then.
        async Task LastsAsync(string group, int members, string? beats = null)
        {
            string lack;
            var tries = 0;
            do
            {
                lack = "";
                await d.WithBothAsync(async side =>
                {
                    var client = await side.ReadyAsync("waiting");
                    if (beats is not null)
                    {
                        var beat = await client.CallAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(new() { GroupId = group, MemberId = beats, MemberEpoch = GroupTalk.Epoch(side, beats) }, 1);
                        side.Known["epoch of " + beats] = beat.MemberEpoch;
                    }
                    var told = (await client.CallAsync<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(new() { GroupIds = [group] }, 1)).Groups[0];
                    if (told.Members.Count != members || (beats is not null && told.Members[0].MemberEpoch != told.GroupEpoch)) lack += $"{side.Name}: {group} has {told.Members.Count} members, not {members}. ";
                });
                if (lack.Length > 0) await Task.Delay(10, TestContext.Current.CancellationToken);
            }
            while (lack.Length > 0 && ++tries < 3000);
            Assert.Empty(lack);
        }
    }

    /// <summary>Asks to join; its answer is still to be heard.</summary>
    static async Task AdmitAsync(GroupTalk group, short v, string who, string? instance = null, int session = 30_000, int rebalance = Rebalance)
    {
        if (v >= 4 && instance is null) await group.JoinAsync(v, who, session: session, rebalance: rebalance, by: who);
        await group.SendJoinAsync(v, who, instance, session, rebalance);
    }

    /// <summary>The group's first member, with its assignment.</summary>
    static async Task StableAsync(GroupTalk group, short v, string who, string? instance = null, int session = 30_000, int rebalance = 60_000)
    {
        await AdmitAsync(group, v, who, instance, session, rebalance);
        await group.HearJoinAsync(v, who);
        await group.SyncAsync(Of<SyncGroupRequest>(v), who, instance, assigned: [(who, [1])]);
    }

    static async Task JoinBothAsync(GroupTalk group, short v, string first, string second, string? instance = null, int session = 30_000, int rebalance = Rebalance)
    {
        await AdmitAsync(group, v, second, instance, session, rebalance);
        await group.UntilAsync("PreparingRebalance");
        await group.SendJoinAsync(v, first, rebalance: rebalance);
        await group.HearJoinAsync(v, first);
        await group.HearJoinAsync(v, second);
    }

    /// <summary>A second member, with its assignment.</summary>
    static async Task SecondAsync(Dialogue d, GroupTalk group, short v, string first, string second, string? instance = null, int session = Session, int rebalance = 60_000)
    {
        var sync = Of<SyncGroupRequest>(v);
        await JoinBothAsync(group, v, first, second, instance, session, rebalance);
        await d.SendAsync(group.Syncing(sync, second, instance), sync, second);
        await group.SyncAsync(sync, first, assigned: [(first, [1]), (second, [2])]);
        await d.HearAsync<SyncGroupRequest, SyncGroupResponse>(sync, second);
    }
}
