using IotGateway.Broker.Groups;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>Many groups, and many threads on one.</summary>
public sealed class GroupScaleTests
{
    [Fact]
    public async Task Thousands_of_groups_take_no_timers_of_their_own_and_little_memory()
    {
        const int Count = 3_000;
        await using GroupFixture g = new();
        var timers = g.Time.TimerCount;
        var before = GC.GetAllocatedBytesForCurrentThread(); // everything happens on this one; other tests run beside it
        for (var i = 0; i < Count; i++) Assert.Equal(GroupError.None, g.Now(g.Join(version: 3, group: $"g{i}")).Error);
        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / Count;
        Assert.Equal(timers, g.Time.TimerCount);
        Assert.True(each < 12_288, $"{each} bytes allocated per group and its first member.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes allocated per group and its first member.");
        Assert.Equal(Count, g.Coordinator.List([], []).Count);
        g.Time.Advance(GroupFixture.Session + 10);
        Assert.Equal(Count, g.Coordinator.List(["Empty"], []).Count);
    }

    [Fact]
    public async Task Members_on_many_threads_meet_in_one_generation()
    {
        const int Count = 8;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(60));
        FakeTopics topics = new();
        topics.Add("presses", 4);
        await using var coordinator = GroupCoordinator.Open(new(), new YieldingStore(), topics, new(TimeProvider.System, null), TimeProvider.System, NullLogger.Instance);
        var generations = await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => Task.Run(() => MeetAsync(coordinator, Count, timeout.Token), timeout.Token)));
        Assert.Single(generations.Distinct());
    }

    /// <summary>Joins, syncs, commits and beats until the generation has all members and is stable.</summary>
    static async Task<int> MeetAsync(GroupCoordinator coordinator, int count, CancellationToken ct)
    {
        var id = "";
        while (true)
        {
            var joined = await coordinator.JoinAsync(new()
            {
                ApiVersion = 9, GroupId = "g", MemberId = id, SessionTimeoutMs = 60_000, RebalanceTimeoutMs = 60_000,
                ProtocolType = "consumer", Protocols = [new("range", new byte[] { 1 })],
            }).WaitAsync(ct);
            id = joined.MemberId;
            if (joined.Error != GroupError.None) continue;
            var synced = await coordinator.SyncAsync(new()
            {
                GroupId = "g", Generation = joined.Generation, MemberId = id,
                Assignments = [.. joined.Members.Select(member => new MemberAssignment(member.MemberId, new byte[] { (byte)joined.Members.Count }))],
            }).WaitAsync(ct);
            if (synced.Error != GroupError.None) continue;
            var size = synced.Assignment.Span[0];
            while (coordinator.Heartbeat(new("g", joined.Generation, id, null)) == GroupError.None)
            {
                await coordinator.CommitOffsetsAsync(new()
                {
                    ApiVersion = 8, GroupId = "g", GenerationOrEpoch = joined.Generation, MemberId = id, Topics = [new("presses", [new(0, 1, -1, null)])],
                }).WaitAsync(ct);
                if (size == count) return joined.Generation;
                ct.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>Commits on another thread, as the log does.</summary>
    sealed class YieldingStore : IGroupStore
    {
        public IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table) => [];

        public async ValueTask CommitAsync(IReadOnlyList<TableWrite> writes, CancellationToken ct) => await Task.Yield();
    }
}
