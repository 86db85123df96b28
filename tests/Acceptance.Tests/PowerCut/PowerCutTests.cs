using Acceptance.Tests.Kill;

namespace Acceptance.Tests.PowerCut;

/// <summary>
/// Power cuts at random moments under load: POWERCUTS of them (10 unless told), seed printed. The gateway's data is on a disk of its own;
/// each cut is followed by a start on the disk as it was then.
/// </summary>
public sealed class PowerCutTests
{
    const string Topic = "cut.test";
    const int Partitions = 4;

    [Fact]
    public async Task Cuts_lose_nothing_acknowledged_and_damage_nothing()
    {
        var cuts = Machine.Setting("POWERCUTS", 10);
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"SEED={Machine.Seed} POWERCUTS={cuts}");
        var random = new Random(Machine.Seed);
        await using var disk = await LoopDisk.CreateAsync();
        await using var gateway = new GatewayUnderTest { Data = Path.Combine(disk.Mount, "data") };
        await gateway.StartAsync();
        await gateway.CliAsync("topics", "create", Topic, "--partitions", $"{Partitions}");
        var journal = new Dictionary<string, int>(StringComparer.Ordinal);
        var content = new LogContent();
        for (var cut = 0; cut < cuts; cut++)
        {
            foreach (var (producer, acknowledged) in await LoadAndCutAsync(gateway, disk, cut, random.Next(50, 2_000))) journal.Add(producer, acknowledged);
            await disk.PowerOnAsync();
            await gateway.StartAsync();
            content = LogContent.Read(gateway.Broker, Topic);
            Assert.Empty(content.Damage);
            Assert.Empty(content.Missing(journal));
            Assert.Empty(content.Disordered);
            Assert.Empty(content.Doubled);
        }
        output.WriteLine($"{cuts} cuts, {journal.Values.Sum()} records acknowledged to 16 producers: 0 lost; {content.Count} found, 0 damaged.");
    }

    [Fact]
    public async Task With_syncing_stubbed_out_a_cut_loses_acknowledged_records()
    {
        var shim = await SyncShim.EnvironmentAsync("none");
        await using var disk = await LoopDisk.CreateAsync();
        await using var gateway = new GatewayUnderTest { Data = Path.Combine(disk.Mount, "data") };
        foreach (var (name, value) in shim) gateway.Environment[name] = value;
        await gateway.StartAsync();
        await gateway.CliAsync("topics", "create", Topic, "--partitions", $"{Partitions}");
        var journal = await LoadAndCutAsync(gateway, disk, 0, 1_000);
        await disk.PowerOnAsync();
        await gateway.StartAsync();
        Assert.NotEmpty(LogContent.Read(gateway.Broker, Topic).Missing(journal));
    }

    /// <summary>Lets 16 producers write, stops the gateway dead, cuts the power, and returns what had been acknowledged until then.</summary>
    static async Task<Dictionary<string, int>> LoadAndCutAsync(GatewayUnderTest gateway, LoopDisk disk, int round, int milliseconds)
    {
        using var producers = new JournalingProducers(gateway.Broker, Topic, Partitions, round);
        await Eventually.TrueAsync(() => producers.Acknowledged > 0, 30, () => $"nothing was acknowledged in round {round}: {string.Join("; ", producers.Failures.Take(5))}\n{gateway.Log}");
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        gateway.Process!.Signal(Signals.Stop);
        await disk.CutAsync();
        await producers.StopAsync();
        var journal = producers.Journal;      // acknowledgements that were on their way at the cut are in by now
        await gateway.KillAsync();
        Assert.Empty(producers.Failures);
        return journal;
    }
}
