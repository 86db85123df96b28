using IotGateway.Broker.Groups;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>
/// Consumers that join, work, commit, change, leave, crash and lose answers at random, while the disk is slow now and then and the
/// broker restarts. After every step: within a generation every partition has at most one owner, generations only rise, and a
/// committed offset is the last one acknowledged or one that was under way.
/// </summary>
public sealed class ClassicSimulationTests
{
    const int Partitions = 4;

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Partitions_are_never_shared_and_offsets_never_go_back(int seed)
    {
        await using var g = new GroupFixture();
        Simulation simulation = new(g, seed);
        for (var step = 0; step < 600; step++) await simulation.StepAsync();
        simulation.Settle();
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 60)];

    sealed class Client(string? instance)
    {
        public string? Instance { get; } = instance;
        public string Id { get; set; } = "";
        public int Generation { get; set; }
        public int Newest { get; set; }
        public int[] Owned { get; set; } = [];
        public Task<JoinGroupResult>? Joining { get; set; }
        public Task<SyncGroupResult>? Syncing { get; set; }
        public bool Silent { get; set; }
    }

    sealed class Simulation(GroupFixture g, int seed)
    {
        readonly Random random = new(seed);
        readonly List<Client> clients = [];
        readonly long[] acknowledged = new long[Partitions];
        readonly long[] sent = new long[Partitions];
        readonly Dictionary<(int Generation, int Partition), string> owners = [];
        int instances;

        public async Task StepAsync()
        {
            switch (random.Next(40))
            {
                case 0 when clients.Count < 6: clients.Add(new(random.Next(3) == 0 ? $"i{instances++}" : null)); break;
                case 1 when clients.Count > 1: Crash(); break;
                case 2 when clients.Count > 1: Leave(); break;
                case 3: g.Store.Hold(); break;
                case 4 or 5 or 6: g.Store.Release(); break;
                case 7 when random.Next(4) == 0: await RestartAsync(); break;
                case 8 when clients.Count > 0: Pick().Silent = random.Next(2) == 0; break;
                default: g.Time.Advance(random.Next(1_500)); break;
            }
            foreach (var client in clients.ToArray())
                if (!client.Silent) await DriveAsync(client);
            Check();
        }

        /// <summary>When everybody behaves, the group becomes stable and every partition is owned.</summary>
        public void Settle()
        {
            g.Store.Release();
            foreach (var client in clients) client.Silent = false;
            if (clients.Count == 0) clients.Add(new(null));
            for (var i = 0; i < 400; i++)
            {
                g.Time.Advance(500);
                foreach (var client in clients) Assert.True(DriveAsync(client).IsCompletedSuccessfully, $"Seed {seed}");
            }
            Assert.True(g.State() == "Stable", $"Seed {seed}: the group is {g.State()}.");
            Assert.True(clients.Sum(client => client.Owned.Length) == Partitions, $"Seed {seed}: not every partition has an owner.");
            Check();
        }

        async Task DriveAsync(Client client)
        {
            if (client.Joining is { IsCompleted: true } joined)
            {
                client.Joining = null;
                Joined(client, await joined);
            }
            if (client.Syncing is { IsCompleted: true } synced)
            {
                client.Syncing = null;
                Synced(client, await synced);
            }
            if (client.Joining is not null || client.Syncing is not null) return;
            if (client.Generation == 0)
            {
                client.Joining = g.Join(client.Id, client.Instance);
                return;
            }
            var error = g.Beat(client.Generation, client.Id, client.Instance);
            if (error is GroupError.None or GroupError.RebalanceInProgress && random.Next(3) == 0) Commit(client);
            if (error != GroupError.None) Rejoin(client, forget: error != GroupError.RebalanceInProgress);
        }

        void Joined(Client client, JoinGroupResult result)
        {
            if (result.Error == GroupError.MemberIdRequired) client.Id = result.MemberId;
            else if (result.Error is GroupError.UnknownMemberId or GroupError.FencedInstanceId) client.Id = "";
            if (result.Error != GroupError.None) return;
            client.Id = result.MemberId;
            client.Generation = result.Generation;
            Assert.True(result.Generation >= client.Newest, $"Seed {seed}: generation {result.Generation} after {client.Newest}.");
            client.Newest = result.Generation;
            var leads = result.Leader == result.MemberId && !result.SkipAssignment;
            (string, string)[] assignments = leads
                ? [.. result.Members.Select((member, i) => (member.MemberId,
                    string.Join(',', Enumerable.Range(0, Partitions).Where(partition => partition % result.Members.Count == i))))]
                : [];
            client.Syncing = g.Sync(result.Generation, client.Id, client.Instance, assignments);
        }

        void Synced(Client client, SyncGroupResult result)
        {
            if (result.Error != GroupError.None)
            {
                Rejoin(client, forget: result.Error is GroupError.UnknownMemberId or GroupError.FencedInstanceId);
                return;
            }
            client.Owned = [.. GroupFixture.Text(result.Assignment).Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
            foreach (var partition in client.Owned)
            {
                var owner = client.Instance ?? client.Id;
                var first = owners.TryAdd((client.Generation, partition), owner) || owners[(client.Generation, partition)] == owner;
                Assert.True(first, $"Seed {seed}: partition {partition} has two owners in generation {client.Generation}.");
            }
        }

        void Commit(Client client)
        {
            foreach (var partition in client.Owned)
            {
                var offset = ++sent[partition];
                _ = AcknowledgeAsync(g.CommitAsync(offset, client.Generation, client.Id, client.Instance, partition: partition), partition, offset);
            }
        }

        async Task AcknowledgeAsync(Task<GroupError> commit, int partition, long offset)
        {
            if (await commit == GroupError.None) acknowledged[partition] = Math.Max(acknowledged[partition], offset);
        }

        static void Rejoin(Client client, bool forget)
        {
            if (forget) client.Id = "";
            client.Generation = 0;
            client.Owned = [];
        }

        void Crash()
        {
            var client = Pick();
            clients.Remove(client);
            if (client.Instance is not null) clients.Add(new(client.Instance)); // comes back under its name
        }

        void Leave()
        {
            var client = Pick();
            clients.Remove(client);
            if (client.Id.Length > 0) g.Leave((client.Id, client.Instance));
        }

        async Task RestartAsync()
        {
            await g.RestartAsync();
            foreach (var client in clients) client.Joining = null;
            foreach (var client in clients.Where(client => client.Syncing is not null))
            {
                client.Syncing = null;
                Rejoin(client, forget: false);
            }
        }

        Client Pick() => clients[random.Next(clients.Count)];

        void Check()
        {
            for (var partition = 0; partition < Partitions; partition++)
            {
                var offset = Math.Max(0, g.Fetch(partition: partition));
                Assert.True(offset >= acknowledged[partition] && offset <= sent[partition],
                    $"Seed {seed}: offset {offset}, acknowledged {acknowledged[partition]}, sent {sent[partition]}.");
            }
        }
    }
}
