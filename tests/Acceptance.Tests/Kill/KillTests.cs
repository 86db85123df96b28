namespace Acceptance.Tests.Kill;

/// <summary>kill -9 at random moments under all kinds of work: KILLS of them (20 unless told), seed printed. Everything is checked after every start.</summary>
public sealed class KillTests
{
    [Fact]
    public async Task Kills_lose_double_and_tear_nothing()
    {
        var kills = Machine.Setting("KILLS", 20);
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"SEED={Machine.Seed} KILLS={kills}");
        var random = new Random(Machine.Seed);
        await using var gateway = new GatewayUnderTest(gatewayOptions: Workload.Options);
        await gateway.StartAsync();
        await using var work = await Workload.StartAsync(gateway.Broker, Machine.Seed);
        var before = work.Acknowledged;
        for (var kill = 1; kill <= kills; kill++)
        {
            string Context() => $"SEED={Machine.Seed}, start {kill}, data kept in {gateway.Keep()}\n{gateway.Log}";
            await work.MovedAsync(before, all: kill % 10 == 0, Context);
            await Task.Delay(random.Next(0, 400), TestContext.Current.CancellationToken);
            await gateway.KillAsync();
            await gateway.StartAsync();
            await work.CheckAsync(Context);
            if (kill % 100 == 0) output.WriteLine($"{TimeProvider.System.GetLocalNow():T} {kill} kills; {work.Summary}");
        }
        await work.FinishAsync(() => $"SEED={Machine.Seed}, at the end, data kept in {gateway.Keep()}\n{gateway.Log}");
        await gateway.StopAsync();
        output.WriteLine($"{kills} kills; {work.Summary}: 0 lost, 0 doubled, 0 torn, 0 damaged.");
        await Tool.RunAsync(Machine.Gateway, ["log", "verify", "--data", gateway.Data], 120);
    }
}
