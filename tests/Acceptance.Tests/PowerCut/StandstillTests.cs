using Confluent.Kafka;

namespace Acceptance.Tests.PowerCut;

/// <summary>A disk that stands still without failing, as a worn flash card does: nothing is acknowledged, everybody is told why, and it goes on by itself.</summary>
public sealed class StandstillTests
{
    [Fact]
    public async Task A_disk_that_does_not_answer_is_told_and_work_goes_on_when_it_does()
    {
        await using var disk = await LoopDisk.CreateAsync(192L << 20);
        await using var gateway = new GatewayUnderTest { Data = Path.Combine(disk.Mount, "data") };
        await gateway.StartAsync();
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = gateway.Broker, LingerMs = 0, EnableIdempotence = true }).SetErrorHandler((_, _) => { }).Build();
        var first = await producer.ProduceAsync("standstill", new() { Value = "before" }, TestContext.Current.CancellationToken);
        await disk.FreezeAsync();
        Task<DeliveryResult<Null, string>> waiting;
        try
        {
            waiting = producer.ProduceAsync("standstill", new() { Value = "meanwhile" }, TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(() => gateway.Log.Contains("has not answered for", StringComparison.Ordinal), 60, () => gateway.Log);
            Assert.Contains("The disk has not answered for", await gateway.CliAsync("status"), StringComparison.Ordinal);
            Assert.False(waiting.IsCompleted);
        }
        finally
        {
            await disk.ThawAsync(); // a process that waits for it cannot even be killed
        }
        Assert.Equal(first.Offset + 1, (await waiting.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)).Offset);
        await Eventually.TrueAsync(() => gateway.Log.Contains("answers again", StringComparison.Ordinal), 60, () => gateway.Log);
        Assert.DoesNotContain("The disk has not answered for", await gateway.CliAsync("status"), StringComparison.Ordinal);
        await gateway.StopAsync();
    }
}
