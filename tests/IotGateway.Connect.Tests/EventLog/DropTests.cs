using System.Text;
using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Health;
using IotGateway.Connect.Tasks;
using IotGateway.Log;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.EventLog;

/// <summary>What is deleted to make space is told in gateway.gaps, exactly; what a sink has not delivered is not deleted.</summary>
public sealed class DropTests
{
    static readonly GatewayConfig Config = new() { Name = "test", Topics = [new() { Match = "bulk", Lane = Lane.Low }] };

    [Fact]
    public async Task Every_record_deleted_to_make_space_is_told_once_across_restarts_and_what_a_sink_needs_stays()
    {
        var ct = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("iotgateway-drop-").FullName;
        try
        {
            for (var run = 0; run < 2; run++)
            {
                await using var store = await LogStore.OpenAsync(new LogOptions { Directory = folder, WalBytes = 2 << 20, ReserveBytes = 0, BudgetBytes = 1 << 20, AwaitsPins = true },
                    NullLogger.Instance, TimeProvider.System, ct);
                var log = new EmbeddedEventLog(store, Config, NullLogger<EmbeddedEventLog>.Instance);
                await log.EnsureTopicsAsync([InternalTopics.Gaps], ct);
                // From then on the sink is known: it has read none of "wanted".
                log.Pin([new("cloud", topic => topic == "wanted", TimeSpan.FromDays(7))]);
                for (var i = 0; i < 300; i++)
                {
                    var unit = new EventUnit();
                    foreach (var topic in (string[])["bulk", "wanted"])
                    {
                        if (topic == "wanted" && i % 10 != 0) continue;
                        unit.Begin(topic, 1_790_000_000_000 + i);
                        unit.Value(new byte[10_000]);
                        unit.End();
                    }
                    await log.CommitAsync(unit, ct);
                }
                Assert.True(store.Find("bulk")!.Partitions[0].LogStart > 0);
                Assert.Equal(0, store.Find("wanted")!.Partitions[0].LogStart);
                // Nobody told it in the first run: the second one does.
                if (run == 0) continue;
                var teller = new DropTeller(log, new GapBook(log, TimeProvider.System), TimeProvider.System, NullLogger.Instance);
                await using (teller)
                    for (var i = 0; i < 2000 && store.Dropped.Count > 0; i++) await Task.Delay(5, ct);
                // Telling takes space as well: what goes for that is for the next teller.
                var (start, next) = (store.Find("bulk")!.Partitions[0].LogStart, 0L);
                foreach (var gap in await GapsAsync(log, ct))
                {
                    Assert.Equal(("bulk", 0, next, "disk-budget", "closed"), (gap.Topic, gap.Partition, gap.FromOffset, gap.Reason, gap.Status));
                    Assert.Equal(gap.Lost, gap.ToOffset - gap.FromOffset);
                    next = gap.ToOffset!.Value;
                }
                Assert.True(next > 0, "Nothing was told.");
                foreach (var range in store.Dropped)
                {
                    Assert.Equal(("bulk", 0, next), (range.Topic, range.Partition, range.FromOffset));
                    next = range.ToOffset;
                }
                Assert.InRange(start, 1, next);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task<List<GapRecord>> GapsAsync(EmbeddedEventLog log, CancellationToken ct)
    {
        var gaps = new List<GapRecord>();
        await using var reader = log.Read("test", t => t == InternalTopics.Gaps, fromEnd: false);
        var end = log.Ends(InternalTopics.Gaps)[0];
        while (gaps.Count < end)
            foreach (var record in await reader.ReadAsync(100, 1 << 20, ct)) gaps.Add(JsonSerializer.Deserialize(record.Value!.Value.Span, HealthJson.Default.GapRecord)!);
        return gaps;
    }
}
