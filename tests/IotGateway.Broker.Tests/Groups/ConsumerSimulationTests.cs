using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>
/// KIP-848 consumers that come, go, crash, lose answers, change subscriptions and fall silent at random, while topics change, the
/// disk is slow or refuses, and the broker restarts. At no moment do two clients that the broker still knows have the same partition.
/// </summary>
public sealed class ConsumerSimulationTests
{
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task No_partition_is_ever_with_two_members(int seed)
    {
        await using var g = new GroupFixture();
        Simulation simulation = new(g, seed);
        for (var step = 0; step < 500; step++) await simulation.StepAsync();
        simulation.Settle();
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 60)];

    sealed class Simulation(GroupFixture g, int seed)
    {
        readonly Random random = new(seed);
        readonly List<ConsumerClient> clients = [];
        readonly Dictionary<ConsumerClient, long> silentUntil = [];
        readonly Dictionary<ConsumerClient, Task<ConsumerHeartbeatResult>> asked = [];
        /// <summary>Those that do not know what became of their last heartbeat.</summary>
        readonly HashSet<ConsumerClient> unsure = [];
        int made;
        int ovens = 2;
        long now;

        public async Task StepAsync()
        {
            switch (random.Next(40))
            {
                case 0 or 1 when clients.Count < 6: clients.Add(new(g, $"m{made++}", random.Next(3) == 0 ? $"i{made}" : null)); break;
                case 2 when clients.Count > 1: Remove(Pick()); break; // crashed: the broker has yet to notice
                case 3 when clients.Count > 1: Leave(Pick()); break;
                case 4 when clients.Count > 0: silentUntil[Pick()] = now + random.Next(60_000); break;
                case 5: g.Store.Hold(); break;
                case 6 or 7 or 8: g.Store.Release(); break;
                case 9: g.Store.Refusing = random.Next(3) == 0; break;
                case 10 when ovens < 6: g.Topics.Add("ovens", ++ovens); break;
                case 11 when random.Next(4) == 0: await RestartAsync(); break;
                default: Pass(random.Next(3_000)); break;
            }
            foreach (var client in clients.ToArray())
                if (now >= silentUntil.GetValueOrDefault(client)) Drive(client);
            Check();
        }

        /// <summary>When everybody behaves, every partition is with somebody.</summary>
        public void Settle()
        {
            g.Store.Refusing = false;
            g.Store.Release();
            silentUntil.Clear();
            if (clients.Count == 0) clients.Add(new(g, "last"));
            for (var i = 0; i < 60; i++)
            {
                Pass(5_000);
                foreach (var client in clients) Drive(client);
                Check();
            }
            var group = g.Coordinator.DescribeConsumers([GroupFixture.GroupId])[0];
            Assert.True(group.State == "Stable", $"Seed {seed}: the group is {group.State}.");
            Assert.True(clients.Sum(client => client.Has.Length) == 4 + ovens, $"Seed {seed}: not every partition has an owner.");
            Assert.True(clients.Max(client => client.Has.Length) - clients.Min(client => client.Has.Length) <= 1, $"Seed {seed}: not even.");
        }

        void Drive(ConsumerClient client)
        {
            if (asked.TryGetValue(client, out var task))
            {
                if (!task.IsCompleted) return;
                asked.Remove(client);
                if (random.Next(10) == 0) unsure.Add(client); // the answer was lost
                else Take(client, task.Result);
                return;
            }
            var call = client.Epoch == 0 ? client.JoinCall(["presses", "ovens"]) : unsure.Remove(client) ? client.FullCall("presses", "ovens") : client.BeatCall();
            asked[client] = g.Coordinator.ConsumerHeartbeatAsync(call);
        }

        void Take(ConsumerClient client, ConsumerHeartbeatResult result)
        {
            if (result.Error != GroupError.None) unsure.Add(client);
            if (result.Error is GroupError.FencedMemberEpoch or GroupError.UnknownMemberId or GroupError.GroupIdNotFound)
            {
                client.Epoch = 0;
                client.Owned = [];
                return;
            }
            client.Take(result);
            if (result.Error == GroupError.None) client.Owned = client.Told ?? client.Owned;
        }

        void Remove(ConsumerClient client)
        {
            clients.Remove(client);
            asked.Remove(client);
        }

        void Leave(ConsumerClient client)
        {
            if (asked.ContainsKey(client) || client.Epoch == 0) return;
            Remove(client);
            _ = g.Coordinator.ConsumerHeartbeatAsync(client.BeatCall(false) with { MemberEpoch = -1 });
        }

        async Task RestartAsync()
        {
            await g.RestartAsync();
            unsure.UnionWith(asked.Keys);
            asked.Clear();
        }

        void Pass(int milliseconds)
        {
            now += milliseconds;
            g.Time.Advance(milliseconds);
            // A client that was silent for a session has to let go by itself.
        }

        ConsumerClient Pick() => clients[random.Next(clients.Count)];

        void Check()
        {
            var group = g.Coordinator.DescribeConsumers([GroupFixture.GroupId])[0];
            foreach (var one in group.Members.SelectMany(member => member.Assignment.SelectMany(topic
                => topic.Partitions.Select(partition => (topic.TopicName, partition)))).GroupBy(item => item))
                Assert.True(one.Count() == 1, $"Seed {seed}: {one.Key} is assigned to two members.");
            var known = clients.Where(client => group.Members.Any(member => member.MemberId == client.MemberId));
            foreach (var one in known.SelectMany(client => client.Has).GroupBy(item => item))
                Assert.True(one.Count() == 1, $"Seed {seed}: {one.Key} is with two members.");
        }
    }
}
