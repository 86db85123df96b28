using Acceptance.Tests.Kill;

namespace Acceptance.Tests.PowerCut;

/// <summary>
/// Power cuts at random moments under all kinds of work: POWERCUTS of them (10 unless told), seed printed. The gateway's data is on a disk of its own;
/// each cut is followed by a start on the disk as it was then, and a check of everything.
/// </summary>
public sealed class PowerCutTests
{
    const long DiskBytes = 192L << 20;
    const string Topic = "cut.test";
    const int Partitions = 4;

    [Fact]
    public async Task Cuts_lose_double_and_tear_nothing()
    {
        var cuts = Machine.Setting("POWERCUTS", 10);
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"SEED={Machine.Seed} POWERCUTS={cuts}");
        var random = new Random(Machine.Seed);
        await using var disk = await LoopDisk.CreateAsync(DiskBytes);
        await using var gateway = new GatewayUnderTest(gatewayOptions: Workload.Options) { Data = Path.Combine(disk.Mount, "data") };
        await gateway.StartAsync();
        await using var work = await Workload.StartAsync(gateway.Broker, Machine.Seed);
        var before = work.Acknowledged;
        for (var cut = 1; cut <= cuts; cut++)
        {
            string Context() => $"SEED={Machine.Seed}, start {cut}, disk kept in {disk.Keep()}\n{gateway.Log}";
            await work.MovedAsync(before, all: cut % 10 == 0, Context);
            await Task.Delay(random.Next(0, 400), TestContext.Current.CancellationToken);
            await gateway.Process!.FreezeAsync();
            await disk.CutAsync();
            await gateway.KillAsync();
            await disk.PowerOnAsync();
            await gateway.StartAsync();
            await work.CheckAsync(Context);
            if (cut % 100 == 0) output.WriteLine($"{TimeProvider.System.GetLocalNow():T} {cut} cuts; {work.Summary}");
        }
        await work.FinishAsync(() => $"SEED={Machine.Seed}, at the end, disk kept in {disk.Keep()}\n{gateway.Log}");
        await gateway.StopAsync();
        output.WriteLine($"{cuts} cuts; {work.Summary}: 0 lost, 0 doubled, 0 torn, 0 damaged.");
        await Tool.RunAsync(Machine.Gateway, ["log", "verify", "--data", gateway.Data], 120);
    }

    [Fact]
    public async Task With_syncing_stubbed_out_a_cut_loses_acknowledged_records()
    {
        var shim = await SyncShim.EnvironmentAsync("none");
        await using var disk = await LoopDisk.CreateAsync(DiskBytes);
        await using var gateway = new GatewayUnderTest { Data = Path.Combine(disk.Mount, "data") };
        foreach (var (name, value) in shim) gateway.Environment[name] = value;
        await gateway.StartAsync();
        await gateway.CliAsync("topics", "create", Topic, "--partitions", $"{Partitions}");
        Dictionary<string, int> journal;
        using (var producers = new JournalingProducers(gateway.Broker, Topic, Partitions))
        {
            await Eventually.TrueAsync(() => producers.Acknowledged > 0, 120, () => $"nothing was acknowledged: {string.Join("; ", producers.Failures.Take(5))}\n{gateway.Log}");
            await Task.Delay(1_000, TestContext.Current.CancellationToken);
            await gateway.Process!.FreezeAsync();
            await disk.CutAsync();
            await producers.StopAsync();
            journal = producers.Journal;      // acknowledgements that were on their way at the cut are in by now
            await gateway.KillAsync();
        }
        await disk.PowerOnAsync();
        await gateway.StartAsync();
        Assert.NotEmpty(LogContent.Read(gateway.Broker, Topic).Missing(journal));
    }
}
