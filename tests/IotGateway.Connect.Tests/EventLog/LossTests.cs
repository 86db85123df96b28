using System.Text;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.EventLog;

public sealed class LossTests
{
    static readonly GatewayConfig Config = new() { Name = "test" };

    [Fact]
    public async Task A_durable_record_that_rotted_in_the_write_ahead_log_is_told_with_its_place_and_time()
    {
        var ct = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("iotgateway-loss-").FullName;
        try
        {
            var (data, copy) = (Path.Combine(folder, "data"), Path.Combine(folder, "copy"));
            await using (var store = await OpenAsync(data))
            {
                var log = new EmbeddedEventLog(store, Config, NullLogger<EmbeddedEventLog>.Instance);
                for (var i = 0; i < 5; i++)
                {
                    var unit = new EventUnit();
                    unit.Begin("t", 1_790_000_000_000 + i);
                    unit.Value(Encoding.UTF8.GetBytes($"the value number {i}"));
                    unit.End();
                    await log.CommitAsync(unit, ct);
                }
                CopyFolder(data, copy); // as a power cut leaves it: nothing was closed
            }
            Rot(copy, "the value number 2");

            await using var damaged = await OpenAsync(copy);
            var lost = Assert.Single(await new EmbeddedEventLog(damaged, Config, NullLogger<EmbeddedEventLog>.Instance).LostAsync(ct));
            Assert.Equal(("t", 0, 2L, 3L), (lost.Topic, lost.Partition, lost.FromOffset, lost.ToOffset));
            Assert.Equal((1_790_000_000_001, 1_790_000_000_003), (Milliseconds(lost.From), Milliseconds(lost.To)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static Task<LogStore> OpenAsync(string folder)
        => LogStore.OpenAsync(new LogOptions { Directory = folder, WalBytes = 512 << 10, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, TestContext.Current.CancellationToken);

    static long Milliseconds(DateTime time) => new DateTimeOffset(time).ToUnixTimeMilliseconds();

    static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock"))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    static void Rot(string folder, string value)
    {
        foreach (var wal in Directory.EnumerateFiles(Path.Combine(folder, "wal")))
        {
            var bytes = File.ReadAllBytes(wal);
            if (bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(value)) is not (>= 0 and var at)) continue;
            bytes[at] ^= 1;
            File.WriteAllBytes(wal, bytes);
            return;
        }
        Assert.Fail("The record is in no write-ahead file.");
    }
}
