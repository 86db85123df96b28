using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using IotGateway.Log.Records;
using IotGateway.Log.Tests.Disk;
using Microsoft.Extensions.Logging.Abstractions;
using Compression = IotGateway.Log.Records.Compression;

namespace IotGateway.Log.Tests.Fuzz;

/// <summary>Valid inputs of every kind, for mutations to start from.</summary>
static class Corpus
{
    /// <summary>Records as they stand in a batch, of several shapes.</summary>
    static IEnumerable<byte[]> Records()
    {
        foreach (var (count, size) in ((int, int)[])[(1, 0), (1, 5), (3, 20), (20, 40), (5, 900), (60, 100)])
        {
            var builder = new RecordBatchBuilder();
            for (var i = 0; i < count; i++)
            {
                var value = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"value {i} {new string((char)('a' + i % 26), size)}"));
                builder.Add(Batches.Time + i, i % 3 == 0 ? default : Encoding.UTF8.GetBytes("key" + i % 7), value, hasKey: i % 3 != 0);
            }
            yield return builder.Build().ToArray();
        }
    }

    /// <summary>Whole batches: plain, of all kinds of producers, and in every compression there is a program for.</summary>
    public static IReadOnlyList<byte[]> BatchesOfAllKinds { get; } = [.. Records(), Batches.Idempotent(7, 0, 3, "a", "b"), Batches.Transactional(8, 1, 0, "c"), .. Compressed().Select(c => c.Batch)];

    /// <summary>What the decoders get, by compression.</summary>
    public static IReadOnlyList<byte[]> Streams(Compression compression) => [.. Compressed().Where(c => c.Compression == compression).Select(c => c.Batch[RecordBatch.HeaderSize..])];

    /// <summary>Files of a small log with everything in it, by path below its directory.</summary>
    public static async Task<Dictionary<string, byte[]>> LogAsync()
    {
        var disk = new SimulatedDisk();
        var log = await LogStore.OpenAsync(new() { Directory = "/data", WalBytes = 256 << 10 }, NullLogger.Instance, TimeProvider.System, disk, default);
        var topic = await log.CreateTopicAsync("t", 2, new() { Settings = new Dictionary<string, string> { ["segment.bytes"] = "6000" } }, default);
        await log.CreateTopicAsync("compacted", 1, new() { Settings = new Dictionary<string, string> { ["cleanup.policy"] = "compact" } }, default);
        for (var i = 0; i < 30; i++)
        {
            var unit = new LogUnit();
            unit.Append(topic.Partitions[i % 2], i % 5 == 0 ? Batches.Transactional(i, 0, 0, "x" + i) : Batches.At(Batches.Time + i * 1000, "y" + i, new string('z', 300)));
            unit.Put("groups", Encoding.UTF8.GetBytes("key" + i % 4), Encoding.UTF8.GetBytes("value" + i));
            if (i % 10 == 0) unit.EndTransaction(i, 0, commit: i % 20 == 0, [topic.Partitions[i % 2]]);
            await log.CommitAsync(unit, default);
        }
        await topic.Partitions[0].DeleteRecordsAsync(3, default);
        var wal = (await FilesAsync(disk)).Where(f => f.Key.StartsWith("wal/", StringComparison.Ordinal)).ToDictionary();
        await log.DisposeAsync();
        var files = await FilesAsync(disk);
        foreach (var (name, bytes) in wal) files[name] = bytes; // as they were before the last checkpoint
        return files;
    }

    static Task<Dictionary<string, byte[]>> FilesAsync(SimulatedDisk disk)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var directory in (string[])["", .. disk.Directories("/data")])
            foreach (var name in disk.Files(Path.Combine("/data", directory))) files[Path.Combine(directory, name)] = disk.Content(Path.Combine("/data", directory, name)).Bytes.ToArray();
        return Task.FromResult(files);
    }

    static IEnumerable<(Compression Compression, byte[] Batch)> Compressed()
    {
        foreach (var plain in Records())
        {
            var records = plain[RecordBatch.HeaderSize..];
            yield return (Compression.Gzip, Batch(plain, Compression.Gzip, Gzip(records)));
            yield return (Compression.Snappy, Batch(plain, Compression.Snappy, Snappy(records)));
            if (Packed("lz4", ["-1", "-c"], records) is { } lz4) yield return (Compression.Lz4, Batch(plain, Compression.Lz4, lz4));
            foreach (var level in (string[])["-1", "-19"])
                if (Packed("zstd", [level, "-c"], records) is { } zstd) yield return (Compression.Zstd, Batch(plain, Compression.Zstd, zstd));
        }
    }

    static byte[] Batch(byte[] plain, Compression compression, byte[] records)
    {
        byte[] batch = [.. plain.AsSpan(0, RecordBatch.HeaderSize), .. records];
        batch[RecordBatch.AttributesAt + 1] |= (byte)compression;
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.LengthAt), batch.Length - RecordBatch.LengthOverhead);
        RecordBatch.Seal(batch);
        return batch;
    }

    static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(bytes);
        return packed.ToArray();
    }

    // Literals only, and a copy of the last four bytes with its length in the stream's: enough for mutations to reach all of the decoder.
    static byte[] Snappy(byte[] bytes)
    {
        var packed = new List<byte>();
        for (var left = (uint)bytes.Length; ; left >>= 7)
        {
            packed.Add((byte)(left < 0x80 ? left : left & 0x7f | 0x80));
            if (left < 0x80) break;
        }
        foreach (var piece in bytes.Chunk(60))
        {
            packed.Add((byte)((piece.Length - 1) << 2));
            packed.AddRange(piece);
        }
        return [.. packed];
    }

    static byte[]? Packed(string program, string[] arguments, byte[] input)
    {
        if (!File.Exists("/usr/bin/" + program)) return null;
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        process.StandardInput.BaseStream.Write(input); // smaller than a pipe
        process.StandardInput.Close();
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        return output.ToArray();
    }
}
