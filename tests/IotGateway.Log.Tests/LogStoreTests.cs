using System.Text;
using IotGateway.Log.Records;

namespace IotGateway.Log.Tests;

/// <summary>The log through its public face, on a real disk.</summary>
public sealed class LogStoreTests : IDisposable
{
    readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Reads_back_what_was_committed_also_after_a_restart()
    {
        await using (var log = await _directory.OpenAsync())
        {
            var topic = await log.CreateTopicAsync("plant", 2, new(), default);
            var unit = new LogUnit();
            for (var i = 0; i < 100; i++)
            {
                unit.Append(topic.Partitions[i % 2], Batches.Of($"value {i}"));
                unit.Put("state", Encoding.UTF8.GetBytes("position"), BitConverter.GetBytes(i));
                var results = await log.CommitAsync(unit, default);
                Assert.Equal(new AppendResult(AppendError.None, i / 2, i / 2, -1), Assert.Single(results));
                unit.Clear();
            }
            Assert.Equal(50, topic.Partitions[0].HighWatermark);
            Assert.Equal(Enumerable.Range(0, 50).Select(i => $"value {i * 2}"), await topic.Partitions[0].ValuesAsync());
        }
        await using (var log = await _directory.OpenAsync())
        {
            Assert.True(log.WasClean);
            Assert.Equal(2, log.StartCount);
            var topic = log.Find("plant")!;
            Assert.Equal(Enumerable.Range(0, 50).Select(i => $"value {i * 2 + 1}"), await topic.Partitions[1].ValuesAsync());
            Assert.Equal(99, BitConverter.ToInt32(log.Get("state", Encoding.UTF8.GetBytes("position"))!.Value.Span));
        }
    }

    [Fact]
    public async Task Commits_of_many_callers_share_syncs()
    {
        await using var log = await _directory.OpenAsync();
        var topic = await log.CreateTopicAsync("plant", 4, new(), default);
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async producer =>
        {
            await Task.Yield();
            for (var i = 0; i < 50; i++)
            {
                var unit = new LogUnit();
                unit.Append(topic.Partitions[producer % 4], Batches.Of($"{producer}:{i}"));
                Assert.Equal(AppendError.None, (await log.CommitAsync(unit, default))[0].Error);
            }
        }));
        Assert.Equal(3200, topic.Partitions.Sum(p => p.HighWatermark));
        Assert.True(log.Figures.Syncs < 1600, $"{log.Figures.Syncs} syncs for 3200 units");
    }

    [Fact]
    public async Task Refuses_a_second_opening_of_the_directory()
    {
        await using var log = await _directory.OpenAsync();
        await Assert.ThrowsAsync<LogLockedException>(() => _directory.OpenAsync());
    }
}
