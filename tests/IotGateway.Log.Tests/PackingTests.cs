using IotGateway.Log.Records;
using Compression = IotGateway.Log.Records.Compression;

namespace IotGateway.Log.Tests;

/// <summary>A topic's <c>compression.type</c>.</summary>
public sealed class PackingTests
{
    static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("gzip", Compression.Gzip)]
    [InlineData("snappy", Compression.Snappy)]
    [InlineData("lz4", Compression.Lz4)]
    [InlineData("zstd", Compression.Zstd)]
    [InlineData("uncompressed", Compression.None)]
    [InlineData("producer", Compression.None)]
    public async Task Batches_are_stored_as_the_topic_wants_them(string type, Compression expected)
    {
        using var directory = new TempDirectory();
        await using var log = await OpenAsync(directory);
        var topic = await log.CreateTopicAsync("t", 1, Settings(("compression.type", type)), Ct);
        string[] values = [.. Enumerable.Range(0, 200).Select(i => $"a reading that looks like the one before, number {i}")];
        var unit = new LogUnit();
        unit.Append(topic.Partitions[0], Batches.Of(values));
        unit.AppendReceived(topic.Partitions[0], Batches.Idempotent(5, 0, 0, values));
        var results = await log.CommitAsync(unit, Ct);
        Assert.Equal([(AppendError.None, 0L, 199L), (AppendError.None, 200L, 399L)], results.Select(r => (r.Error, r.BaseOffset, r.LastOffset)));
        var slice = await topic.Partitions[0].ReadAsync(0, 1 << 20, Ct);
        for (var rest = slice.Batches; !rest.IsEmpty; rest = rest[new RecordBatch(rest.Span).Size..]) Assert.Equal(expected, new RecordBatch(rest.Span).Compression);
        Assert.Equal([.. values, .. values], await topic.Partitions[0].ValuesAsync());
    }

    [Fact]
    public async Task What_is_too_large_as_the_topic_wants_it_is_refused()
    {
        using var directory = new TempDirectory();
        await using var log = await OpenAsync(directory);
        var packing = await log.CreateTopicAsync("packed", 1, Settings(("compression.type", "zstd")), Ct);
        var unit = new LogUnit();
        unit.Append(packing.Partitions[0], Batches.Of(new string('x', 10_000)));
        await log.CommitAsync(unit, Ct);
        var packed = (await packing.Partitions[0].ReadAsync(0, 1 << 20, Ct)).Batches.ToArray();
        var topic = await log.CreateTopicAsync("plain", 1, Settings(("compression.type", "uncompressed"), ("max.message.bytes", "5000")), Ct);
        unit.Clear();
        unit.Append(topic.Partitions[0], packed);
        Assert.Equal(AppendError.TooLarge, (await log.CommitAsync(unit, Ct))[0].Error);
        Assert.Equal(0, topic.Partitions[0].HighWatermark);
    }

    [Theory]
    [InlineData("compression.type", "brotli")]
    [InlineData("compression.gzip.level", "0")]
    [InlineData("compression.lz4.level", "18")]
    [InlineData("compression.zstd.level", "23")]
    public void What_is_no_compression_is_refused(string name, string value)
        => Assert.Contains(name, Assert.Throws<ArgumentException>(() => TopicRules.Parse(Settings((name, value)))).Message, StringComparison.Ordinal);

    static TopicConfig Settings(params (string Name, string Value)[] settings) => new() { Settings = settings.ToDictionary(s => s.Name, s => s.Value) };

    static Task<LogStore> OpenAsync(TempDirectory directory)
        => LogStore.OpenAsync(new() { Directory = directory.Path, WalBytes = 16 << 20 }, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, TimeProvider.System, Ct);
}
