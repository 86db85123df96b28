using System.Buffers.Binary;
using System.Numerics;
using IotGateway.Connect.EventLog;
using IotGateway.Log;
using IotGateway.Log.Records;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.EventLog;

/// <summary>Compressed batches that open to far more than they are, as a sink reads them.</summary>
public sealed class PackedTests : IAsyncLifetime
{
    const int Count = 80, Size = 100_000;

    readonly string _folder = Directory.CreateTempSubdirectory("iotgateway-packed-").FullName;
    LogStore _store = null!;
    Topic _topic = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await LogStore.OpenAsync(new LogOptions { Directory = _folder, WalBytes = 64 << 20, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, Ct);
        _topic = await _store.CreateTopicAsync("packed", 1, new() { Settings = new Dictionary<string, string> { ["compression.type"] = "zstd", ["max.message.bytes"] = "12000000" } }, Ct);
        var builder = new RecordBatchBuilder();
        for (var i = 0; i < Count; i++) builder.Add(i, default, new byte[Size], hasKey: false);
        await AppendAsync(builder.Build());
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_a_batch_opens_to_is_handed_out_in_bites_of_the_size_asked_for()
    {
        var batch = (await _topic.Partitions[0].ReadAsync(0, 1 << 20, Ct)).Batches;
        Assert.InRange(batch.Length, 100, 100_000); // it is one, and small
        await using var reader = Reader();
        Assert.Equal(Count, reader.Lag);
        var next = 0L;
        while (next < Count)
        {
            var records = await reader.ReadAsync(1000, 256 << 10, Ct);
            Assert.InRange(records.Sum(r => r.Value!.Value.Length), Size, (256 << 10) + Size);
            foreach (var record in records) Assert.Equal((next++, Size), (record.Offset, record.Value!.Value.Length));
            Assert.Equal(Count - next, reader.Lag);
        }
    }

    [Fact]
    public async Task A_place_settled_in_the_middle_of_a_batch_is_gone_on_from()
    {
        await using (var reader = Reader())
        {
            var records = await reader.ReadAsync(7, 64 << 20, Ct);
            var unit = new EventUnit();
            reader.Settle(unit, records[^1]);
            await new EmbeddedEventLog(_store, new() { Name = "test" }, NullLogger<EmbeddedEventLog>.Instance).CommitAsync(unit, Ct);
        }
        await using var again = Reader();
        Assert.Equal(7, (await again.ReadAsync(1, 64 << 20, Ct))[0].Offset);
    }

    [Fact]
    public async Task A_read_that_is_cancelled_on_the_way_loses_nothing()
    {
        await using var reader = Reader();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var got = new List<SinkRecord>();
        for (var i = 0; got.Count < Count; i++)
        {
            try
            {
                got.AddRange(await reader.ReadAsync(1000, 256 << 10, i % 2 == 0 ? cancelled.Token : Ct));
            }
            catch (OperationCanceledException) when (i % 2 == 0)
            {
            }
        }
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (long)i), got.Select(r => r.Offset));
    }

    [Fact]
    public async Task What_can_be_read_of_a_bad_batch_is_handed_out_before_the_rest_is_told_and_passed()
    {
        // One that claims to have more records than it has.
        var bad = (await _topic.Partitions[0].ReadAsync(0, 1 << 20, Ct)).Batches.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(bad.AsSpan(23), Count); // last offset delta
        BinaryPrimitives.WriteInt32BigEndian(bad.AsSpan(57), Count + 1); // count
        var crc = 0xFFFF_FFFF;
        foreach (var b in bad.AsSpan(RecordBatch.ChecksummedFrom)) crc = BitOperations.Crc32C(crc, b);
        BinaryPrimitives.WriteUInt32BigEndian(bad.AsSpan(17), ~crc);
        await AppendAsync(bad);
        var good = new RecordBatchBuilder();
        good.Add(0, default, "good"u8, hasKey: false);
        await AppendAsync(good.Build());

        await using var reader = Reader();
        var got = new List<SinkRecord>();
        while (got.Count < 2 * Count) got.AddRange(await reader.ReadAsync(1000, 1 << 20, Ct));
        Assert.Equal(Enumerable.Range(0, 2 * Count).Select(i => (long)i), got.Select(r => r.Offset));
        var told = await Assert.ThrowsAsync<UnreadableException>(async () => await reader.ReadAsync(1000, 1 << 20, Ct));
        Assert.Equal(2 * Count, told.Offset);
        var last = Assert.Single(await reader.ReadAsync(1000, 1 << 20, Ct));
        Assert.Equal((2 * Count + 1, "good"), (last.Offset, System.Text.Encoding.UTF8.GetString(last.Value!.Value.Span)));
    }

    IEventReader Reader() => new EmbeddedEventLog(_store, new() { Name = "test" }, NullLogger<EmbeddedEventLog>.Instance).Read("sink", name => name == "packed", fromEnd: false);

    async Task AppendAsync(ReadOnlyMemory<byte> batch)
    {
        var unit = new LogUnit();
        unit.Append(_topic.Partitions[0], batch);
        Assert.Equal(AppendError.None, (await _store.CommitAsync(unit, Ct))[0].Error);
    }
}
