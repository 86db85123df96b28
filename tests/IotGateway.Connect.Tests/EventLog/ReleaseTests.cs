using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using IotGateway.Connect.EventLog;
using IotGateway.Log;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.EventLog;

/// <summary>How long the bytes a reader of the embedded log hands out stay what they are.</summary>
public sealed class ReleaseTests : IAsyncLifetime
{
    const int Count = 600;
    readonly string _folder = Directory.CreateTempSubdirectory("iotgateway-release-").FullName;
    LogStore _store = null!;
    EmbeddedEventLog _log = null!;
    int _written;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await LogStore.OpenAsync(new LogOptions { Directory = _folder, WalBytes = 16 << 20, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, Ct);
        _log = new(_store, new() { Name = "plant-test", Broker = new() { DefaultPartitions = 3 } }, NullLogger<EmbeddedEventLog>.Instance);
        for (var i = 0; i < Count / 20; i++) await WriteAsync(20);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Never_released_all_stay_as_they_are()
    {
        await using var reader = Reader();
        var all = new List<SinkRecord>();
        while (all.Count < Count) all.AddRange(await reader.ReadAsync(7, 4096, Ct));
        Check(all);
    }

    [Theory, InlineData(1, 1 << 20), InlineData(7, 1 << 20), InlineData(7, 700), InlineData(1000, 4096)]
    public async Task What_is_handed_out_after_a_release_is_whole_also_in_the_middle_of_what_was_read(int maxRecords, int maxBytes)
    {
        await using var reader = Reader();
        var seen = new List<string>();
        var arrays = new HashSet<byte[]>();
        var released = false; // before, nothing is used again
        while (seen.Count < Count)
        {
            // Two reads are one batch, as of a sink that lingers.
            var batch = new List<SinkRecord>();
            for (var i = 0; i < 2 && seen.Count + batch.Count < Count; i++) batch.AddRange(await reader.ReadAsync(maxRecords, maxBytes, Ct));
            Check(batch);
            seen.AddRange(batch.Select(Text));
            if (released) arrays.UnionWith(batch.Select(ArrayOf));
            reader.Release();
            released = true;
        }
        Assert.Equal(Count, seen.Distinct().Count());
        Assert.InRange(arrays.Count, 1, 20); // three partitions each of three topics, two reads at a time
    }

    [Fact]
    public async Task Records_of_a_read_that_was_cancelled_outlive_a_release()
    {
        await using var reader = Reader();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var count = 0;
        for (var i = 0; count < Count; i++)
        {
            try
            {
                var records = await reader.ReadAsync(100, 2000, i % 2 == 0 ? cancelled.Token : Ct);
                Check(records);
                count += records.Count;
            }
            catch (OperationCanceledException) when (i % 2 == 0)
            {
            }
            reader.Release();
        }
    }

    [Fact]
    public void Only_what_is_given_back_is_lent_again()
    {
        var arrays = new SliceArrays();
        var (first, second) = (arrays.Rent(5000), arrays.Rent(5000));
        Assert.NotSame(first, second);
        arrays.Reclaim(first.AsMemory(10, 5));
        Assert.Same(second, arrays.Rent(8192));
        var third = arrays.Rent(5000);
        Assert.NotSame(first, third);
        arrays.Reclaim(default);
        Assert.True(new HashSet<byte[]> { first, second, third }.SetEquals([arrays.Rent(8000), arrays.Rent(100), arrays.Rent(5000)]));
    }

    [Fact]
    public void No_more_is_kept_than_the_limit_and_when_idle_only_small_ones()
    {
        var arrays = new SliceArrays();
        var huge = arrays.Rent(SliceArrays.KeptBytes + 1);
        var lent = Enumerable.Range(0, 6).Select(_ => arrays.Rent(4 << 20)).ToList(); // two of them are forgotten
        arrays.Reclaim(default);
        var again = Enumerable.Range(0, 4).Select(_ => arrays.Rent(4 << 20)).ToList();
        Assert.True(lent.Skip(2).ToHashSet().SetEquals(again));
        arrays.Reclaim(default);
        var small = arrays.Rent(100);
        Assert.Contains(again, a => ReferenceEquals(a, small)); // what there is
        arrays.Return(small);
        arrays.Return(huge);
        arrays.Trim();
        Assert.Equal(4096, arrays.Rent(100).Length);
    }

    IEventReader Reader() => _log.Read("sink", static topic => topic.StartsWith("plant", StringComparison.Ordinal), fromEnd: false);

    async Task WriteAsync(int records)
    {
        var unit = new EventUnit();
        for (var i = 0; i < records; i++)
        {
            var text = (_written++).ToString("D9", CultureInfo.InvariantCulture);
            unit.Begin($"plant.{_written % 3}", 0);
            unit.Key(Encoding.UTF8.GetBytes(text));
            unit.Header("h", text);
            unit.Value(Encoding.UTF8.GetBytes(text));
            unit.End();
        }
        await _log.CommitAsync(unit, Ct);
    }

    static void Check(IEnumerable<SinkRecord> records)
        => Assert.All(records, r => Assert.Equal((Text(r), Text(r)), (Encoding.UTF8.GetString(r.Key!.Value.Span), Encoding.UTF8.GetString(r.Headers[0].Value!.Value.Span))));

    static string Text(SinkRecord record) => Encoding.UTF8.GetString(record.Value!.Value.Span);

    static byte[] ArrayOf(SinkRecord record) => MemoryMarshal.TryGetArray(record.Value!.Value, out var segment) ? segment.Array! : throw new InvalidOperationException("no array");
}
