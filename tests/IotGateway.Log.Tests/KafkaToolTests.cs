using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using IotGateway.Log.Records;

namespace IotGateway.Log.Tests;

/// <summary>Apache Kafka's own tool reads the segments and finds nothing wrong. Needs an Apache Kafka: KAFKA_DIR, or one beside the repository.</summary>
public sealed partial class KafkaToolTests : IDisposable
{
    readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Finds_nothing_wrong_with_segments_and_indexes()
    {
        var kafka = FindOrSkip();
        string partition;
        await using (var log = await _directory.OpenAsync())
        {
            var topic = await log.CreateTopicAsync("plant", 1, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "40000" } }, default);
            partition = topic.Partitions[0].Files.Directory;
            var unit = new LogUnit();
            for (var i = 0; i < 400; i++)
            {
                // Times go up and down: the time index must keep only what rises.
                unit.Append(topic.Partitions[0], Batches.At(Batches.Time + i * 7 % 100 * 1000 + i, Text(i), Text(i + 1)));
                if (i % 3 == 2)
                {
                    await log.CommitAsync(unit, default);
                    unit.Clear();
                }
            }
            await log.CommitAsync(unit, default);
        }
        var logs = Directory.GetFiles(partition, "*.log").Order().ToArray();
        Assert.True(logs.Length > 3, "The test wants several segments.");
        var dump = await RunAsync(kafka, ["dump-log", "--deep-iteration", "--files", string.Join(',', logs)]);
        Assert.Contains("lastOffset: 799", dump, StringComparison.Ordinal);
        AssertClean(dump);
        var indexes = string.Join(',', Directory.GetFiles(partition, "*.index").Concat(Directory.GetFiles(partition, "*.timeindex")));
        AssertClean(await RunAsync(kafka, ["dump-log", "--files", indexes]));
        var sanity = await RunAsync(kafka, ["dump-log", "--index-sanity-check", "--files", indexes]);
        AssertClean(sanity);
        Assert.Equal(indexes.Split(',').Length, sanity.Split("passed sanity check").Length - 1);
    }

    [Fact]
    public async Task Finds_nothing_wrong_with_compacted_segments()
    {
        var kafka = FindOrSkip();
        string partition;
        await using (var log = await _directory.OpenAsync())
        {
            var settings = new Dictionary<string, string> { ["segment.bytes"] = "20000", ["cleanup.policy"] = "compact", ["min.cleanable.dirty.ratio"] = "0.01" };
            var topic = await log.CreateTopicAsync("state", 1, new() { Settings = settings }, default);
            partition = topic.Partitions[0].Files.Directory;
            var unit = new LogUnit();
            for (var i = 0; i < 1000; i++)
            {
                var builder = new RecordBatchBuilder { ProducerId = i % 3, ProducerEpoch = 0, BaseSequence = i / 3 * 3 };
                for (var r = 0; r < 3; r++)
                {
                    var key = System.Text.Encoding.UTF8.GetBytes($"key {(i * 3 + r) % 700}");
                    builder.Add(Batches.Time + i, key, System.Text.Encoding.UTF8.GetBytes(Text(i)), hasValue: i % 17 != 0);
                }
                unit.Append(topic.Partitions[0], builder.Build().ToArray());
                await log.CommitAsync(unit, default);
                unit.Clear();
            }
            // Each pass goes as far as the last checkpoint.
            for (var i = 0; i < 500 && (await topic.Partitions[0].RecordsAsync()).Count >= 1500; i++)
            {
                log.RequestCheckpoint();
                await Task.Delay(5);
                await log.CompactAsync(default);
            }
            Assert.True((await topic.Partitions[0].RecordsAsync()).Count < 1500);
        }
        var logs = Directory.GetFiles(partition, "*.log").Order().ToArray();
        var dump = await RunAsync(kafka, ["dump-log", "--deep-iteration", "--files", string.Join(',', logs)]);
        Assert.Contains("deleteHorizonMs", dump, StringComparison.Ordinal);
        // Offsets have holes: the tool says so, and it is so.
        AssertClean(Holes().Replace(dump, ""));
        var indexes = string.Join(',', Directory.GetFiles(partition, "*.index").Concat(Directory.GetFiles(partition, "*.timeindex")));
        AssertClean(await RunAsync(kafka, ["dump-log", "--files", indexes]));
        var sanity = await RunAsync(kafka, ["dump-log", "--index-sanity-check", "--files", indexes]);
        var passed = sanity.Split("passed sanity check").Length - 1 + sanity.Split(".index is empty.").Length - 1; // small segments need none
        Assert.True(indexes.Split(',').Length == passed, $"{passed} of {indexes.Split(',').Length}: {sanity}");
    }

    /// <summary>Rule 9: what is left of transactions after compaction, delete horizons of markers included.</summary>
    [Fact]
    public async Task Finds_nothing_wrong_with_compacted_transactions()
    {
        var kafka = FindOrSkip();
        string partition;
        await using (var log = await _directory.OpenAsync())
        {
            var settings = new Dictionary<string, string> { ["segment.bytes"] = "20000", ["cleanup.policy"] = "compact", ["min.cleanable.dirty.ratio"] = "0.01" };
            var topic = await log.CreateTopicAsync("state", 1, new() { Settings = settings }, default);
            partition = topic.Partitions[0].Files.Directory;
            var sequence = 0;
            for (var round = 0; round < 2; round++)
            {
                for (var i = 0; i < 300; i++)
                {
                    var builder = new RecordBatchBuilder { ProducerId = 7, ProducerEpoch = 0, BaseSequence = sequence };
                    for (var r = 0; r < 3; r++, sequence++)
                        builder.Add(Batches.Time + i, System.Text.Encoding.UTF8.GetBytes($"key {(i * 3 + r) % 200}"), System.Text.Encoding.UTF8.GetBytes(Text(i)), hasValue: i % 17 != 0);
                    var batch = builder.Build().ToArray();
                    batch[RecordBatch.AttributesAt + 1] |= RecordBatch.TransactionalBit;
                    RecordBatch.Seal(batch);
                    var unit = new LogUnit();
                    unit.Append(topic.Partitions[0], batch);
                    unit.EndTransaction(7, 0, commit: i % 3 != 0, topic.Partitions);
                    await log.CommitAsync(unit, default);
                }
                // Each pass goes as far as the last checkpoint.
                for (var (i, before) = (0, topic.Partitions[0].SizeBytes); i < 500 && topic.Partitions[0].SizeBytes > before * 2 / 3; i++)
                {
                    log.RequestCheckpoint();
                    await Task.Delay(5);
                    await log.CompactAsync(default);
                }
            }
        }
        var logs = Directory.GetFiles(partition, "*.log").Order().ToArray();
        var dump = await RunAsync(kafka, ["dump-log", "--deep-iteration", "--files", string.Join(',', logs)]);
        Assert.Contains("endTxnMarker: ABORT", dump, StringComparison.Ordinal);
        Assert.Matches(@"isControl: true deleteHorizonMs: OptionalLong\[\d+\]", dump);
        AssertClean(Holes().Replace(dump, ""));
        var indexes = Directory.GetFiles(partition, "*.index").Concat(Directory.GetFiles(partition, "*.timeindex"));
        AssertClean(await RunAsync(kafka, ["dump-log", "--files", string.Join(',', indexes)]));
        var aborted = await RunAsync(kafka, ["dump-log", "--files", string.Join(',', Directory.GetFiles(partition, "*.txnindex"))]);
        AssertClean(aborted);
        Assert.Equal(dump.Split("endTxnMarker: ABORT").Length, aborted.Split("producerId: 7").Length);
    }

    [GeneratedRegex(@"Non-consecutive offsets in \S+\n(\s*-?\d+ is followed by \d+\n)+")]
    private static partial Regex Holes();

    [Fact]
    public async Task Reads_the_markers_and_the_index_of_aborted_transactions()
    {
        var kafka = FindOrSkip();
        string partition;
        await using (var log = await _directory.OpenAsync())
        {
            var topic = await log.CreateTopicAsync("plant", 1, new(), default);
            partition = topic.Partitions[0].Files.Directory;
            for (short epoch = 0; epoch < 4; epoch++)
            {
                var unit = new LogUnit();
                unit.Append(topic.Partitions[0], Batches.Transactional(7, epoch, 0, "a", "b"));
                unit.EndTransaction(7, (short)(epoch + 1), commit: epoch % 2 == 0, topic.Partitions);
                await log.CommitAsync(unit, default);
            }
        }
        var dump = await RunAsync(kafka, ["dump-log", "--deep-iteration", "--files", Directory.GetFiles(partition, "*.log").Single()]);
        AssertClean(dump);
        Assert.Equal((2, 2), (dump.Split("endTxnMarker: COMMIT").Length - 1, dump.Split("endTxnMarker: ABORT").Length - 1));
        var index = await RunAsync(kafka, ["dump-log", "--files", Directory.GetFiles(partition, "*.txnindex").Single()]);
        Assert.Contains("producerId: 7 firstOffset: 3 lastOffset: 5 lastStableOffset: 6", index, StringComparison.Ordinal);
        Assert.Contains("producerId: 7 firstOffset: 9 lastOffset: 11 lastStableOffset: 12", index, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"Non-consecutive offsets in \S+\n\s*-1 is followed by \d+\n")]
    private static partial Regex FirstOffset();

    static string Text(int i) => Convert.ToHexString(SHA256.HashData(BitConverter.GetBytes(i))) + new string('x', i % 300);

    static void AssertClean(string dump)
    {
        // The tool says this of every file that does not start at offset 0, Apache Kafka's own included.
        dump = FirstOffset().Replace(dump, "");
        foreach (var complaint in (string[])["isvalid: false", "Mismatches", "Found", "ould not", "Exception", "is followed by", "corrupt", "out of order"])
        {
            var at = dump.IndexOf(complaint, StringComparison.OrdinalIgnoreCase);
            Assert.True(at < 0, at < 0 ? "" : dump[Math.Max(0, at - 300)..Math.Min(dump.Length, at + 600)]);
        }
    }

    static string FindOrSkip()
    {
        var kafka = Find() ?? "";
        Assert.SkipWhen(kafka.Length == 0, "No Apache Kafka found: set KAFKA_DIR, or put one into ../shared/kafka.");
        return kafka;
    }

    static string? Find()
    {
        if (Environment.GetEnvironmentVariable("KAFKA_DIR") is { } given && Directory.Exists(given)) return given;
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "shared", "kafka", "kafka"))) return Path.Combine(at.FullName, "shared", "kafka");
        return null;
    }

    static async Task<string> RunAsync(string kafka, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(kafka, "kafka"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        return output + await error;
    }
}
