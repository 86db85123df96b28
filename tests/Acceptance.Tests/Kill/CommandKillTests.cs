using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Acceptance.Tests.Kill;

/// <summary>Commands while the gateway is killed with -9 at random: each ends in exactly one final outcome that is true, and moves the machine at most once. COMMAND_KILLS (6 unless told), seed printed.</summary>
public sealed class CommandKillTests
{
    const int Devices = 4, PerRound = 40;

    [Fact]
    public async Task No_command_is_executed_twice_and_each_has_one_final_outcome()
    {
        var kills = Machine.Setting("COMMAND_KILLS", 6);
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"SEED={Machine.Seed} COMMAND_KILLS={kills}");
        var random = new Random(Machine.Seed);
        await using var machine = new JournalingMachine();
        await using var gateway = new GatewayUnderTest();
        gateway.Connector("line", Line(machine.Port));
        await gateway.StartAsync();
        await gateway.RunningAsync("line");
        var sent = new Dictionary<string, (int Unit, ushort Value)>();
        for (var round = 0; round <= kills; round++)
        {
            await ProduceAsync(gateway.Broker, round, sent);
            if (round == kills) break;
            await Task.Delay(random.Next(0, 120), TestContext.Current.CancellationToken);
            await gateway.KillAsync();
            await gateway.StartAsync();
            await gateway.RunningAsync("line");
        }

        var final = new Dictionary<string, List<JsonObject>>();
        await Eventually.TrueAsync(() => (final = Final(gateway.Broker)).Count >= sent.Count, 240, () => $"{final.Count} of {sent.Count} commands have an outcome.\n{gateway.Log}");
        await gateway.StopAsync();

        var writes = machine.Writes.GroupBy(w => w).ToDictionary(g => g.Key, g => g.Count());
        Assert.DoesNotContain(writes, w => w.Value > 1);
        Assert.Equal(sent.Keys.Order(StringComparer.Ordinal), final.Keys.Order(StringComparer.Ordinal));
        foreach (var (id, outcomes) in final)
        {
            var outcome = Assert.Single(outcomes);
            var (status, executed) = ((string)outcome["status"]!, writes.ContainsKey(sent[id]));
            Assert.True(status == "unknown" || executed == status is "done" or "confirmed" or "mismatch", $"executed: {executed}, but {outcome.ToJsonString()}");
            Assert.True((bool)outcome["sent"]! || !executed, outcome.ToJsonString());
        }
        output.WriteLine(string.Join(", ", final.Values.GroupBy(o => (string)o[0]["status"]!).Select(g => $"{g.Count()} {g.Key}")) + $"; {machine.Writes.Count} writes at the machine.");
    }

    static JsonObject Line(int port) => new()
    {
        ["connector"] = "modbus", ["endpoint"] = $"tcp://127.0.0.1:{port}", ["every"] = "100ms",
        ["devices"] = new JsonArray([.. Enumerable.Range(1, Devices).Select(unit => new JsonObject
        {
            ["name"] = "d" + unit, ["unitId"] = unit,
            ["tags"] = new JsonArray(new JsonObject
            {
                ["name"] = "setpoint", ["address"] = "holding:10", ["type"] = "uint16",
                // Half of them are read back, half of them wait for their device: every way through the lane.
                ["write"] = unit % 2 == 0 ? new JsonObject { ["whenOffline"] = "wait" } : new JsonObject { ["readBack"] = new JsonObject { ["within"] = "300ms" } },
            }),
        })]),
    };

    // Every command has a value of its own, so that the machine's journal tells them apart.
    static async Task ProduceAsync(string bootstrap, int round, Dictionary<string, (int, ushort)> sent)
    {
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = bootstrap, LingerMs = 0 }).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        var now = TimeProvider.System.GetUtcNow();
        var deliveries = new List<Task>();
        for (var i = 0; i < PerRound; i++)
        {
            var (id, unit, value) = ($"r{round}-{i}", i % Devices + 1, (ushort)(1 + round * PerRound + i));
            sent[id] = (unit, value);
            var command = new JsonObject
            {
                ["gateway"] = "testgw", ["id"] = id, ["connector"] = "line", ["device"] = "d" + unit, ["tag"] = "setpoint", ["value"] = value,
                ["issuedAt"] = now.ToString("O", CultureInfo.InvariantCulture), ["deadline"] = now.AddSeconds(30).ToString("O", CultureInfo.InvariantCulture),
            };
            deliveries.Add(producer.ProduceAsync("gateway.commands", new() { Value = command.ToJsonString() }));
        }
        await Task.WhenAll(deliveries);
    }

    static Dictionary<string, List<JsonObject>> Final(string bootstrap)
    {
        using var consumer = new ConsumerBuilder<Ignore, string>(new ConsumerConfig { BootstrapServers = bootstrap, GroupId = "check", EnableAutoCommit = false, EnablePartitionEof = true })
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        consumer.Assign(new TopicPartitionOffset("gateway.outcomes", 0, Offset.Beginning));
        var final = new Dictionary<string, List<JsonObject>>();
        while (consumer.Consume(TimeSpan.FromSeconds(10)) is { IsPartitionEOF: false } record)
        {
            var outcome = JsonNode.Parse(record.Message.Value)!.AsObject();
            if (!(bool)outcome["final"]!) continue;
            var id = (string)outcome["id"]!;
            if (!final.TryGetValue(id, out var list)) final[id] = list = [];
            list.Add(outcome);
        }
        return final;
    }
}
