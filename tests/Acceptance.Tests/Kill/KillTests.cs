namespace Acceptance.Tests.Kill;

/// <summary>kill -9 at random moments under load: KILLS of them (20 unless told), seed printed.</summary>
public sealed class KillTests
{
    const string Topic = "kill.test";
    const int Partitions = 4;

    [Fact]
    public async Task Kills_lose_and_double_nothing()
    {
        var kills = Machine.Setting("KILLS", 20);
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"SEED={Machine.Seed} KILLS={kills}");
        var random = new Random(Machine.Seed);
        await using var gateway = new GatewayUnderTest();
        await gateway.StartAsync();
        await gateway.CliAsync("topics", "create", Topic, "--partitions", $"{Partitions}");
        using var producers = new JournalingProducers(gateway.Broker, Topic, Partitions);
        for (var kill = 0; kill < kills; kill++)
        {
            var before = producers.Acknowledged;
            await Eventually.TrueAsync(() => producers.Acknowledged > before, 30, () => $"nothing was acknowledged after start {kill}: {string.Join("; ", producers.Failures.Take(5))}\n{gateway.Log}");
            await Task.Delay(random.Next(0, 800), TestContext.Current.CancellationToken);
            await gateway.KillAsync();
            await gateway.StartAsync();
        }
        await producers.FinishAsync(60);
        Assert.Empty(producers.Failures);
        var content = LogContent.Read(gateway.Broker, Topic);
        Assert.Empty(content.Damage);
        Assert.Empty(content.Missing(producers.Journal));
        Assert.Empty(content.Doubled);
        Assert.Empty(content.Disordered);
        Assert.Equal(producers.Acknowledged, content.Count);
        output.WriteLine($"{kills} kills, {content.Count} records of 16 producers: 0 lost, 0 doubled, 0 damaged.");
    }
}
