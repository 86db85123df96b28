using System.Buffers.Binary;
using IotGateway.Log.Bytes;
using IotGateway.Log.Compaction;
using IotGateway.Log.Disk;
using IotGateway.Log.Inspection;
using IotGateway.Log.Records;
using IotGateway.Log.Recovery;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using IotGateway.Log.Tables;
using IotGateway.Log.Tests.Disk;
using IotGateway.Log.Topics;
using IotGateway.Log.Wal;
using IotGateway.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests.Fuzz;

/// <summary>
/// Everything of the log that reads bytes it did not write in this run, given random and mutated ones: it refuses them as it declares, in time, with
/// little memory. FUZZ says how many inputs, shared out among the readers; seed printed (<see cref="Fuzzer"/>).
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    const int Readers = 11;
    const int Cap = 64 << 10;

    /// <summary>What a batch opens to is handed out piece by piece and not held: <see cref="BombTests"/> shows that.</summary>
    const long Opened = 8 << 20;

    static readonly long Each = (Fuzzer.Executions(200_000) + Readers - 1) / Readers;

    [Fact]
    public void Batches_that_clients_send() => Run("batch", Corpus.BatchesOfAllKinds, bytes => BatchCheck.Check(bytes, 1 << 20, received: true, RecordRules.None), _ => false, SealBatch);

    [Fact]
    public void Batches_that_are_read()
        => Run("records", Corpus.BatchesOfAllKinds, bytes =>
        {
            foreach (var record in new RecordReader(bytes))
                foreach (var header in record.Headers) GC.KeepAlive(header.Key);
        }, e => e is InvalidDataException or UnsupportedCompressionException, SealBatch, Opened);

    [Fact]
    public void Batches_that_are_compacted()
        => Run("compaction", Corpus.BatchesOfAllKinds, bytes =>
        {
            if (BatchCheck.Check(bytes, 1 << 20, received: false, RecordRules.None).Error != AppendError.None) return;
            for (ReadOnlyMemory<byte> rest = bytes; !rest.IsEmpty; rest = rest[new RecordBatch(rest.Span).Size..])
                new BatchCleaner(new OffsetMap(100), 0, 1000).Clean(rest[..new RecordBatch(rest.Span).Size], keepEmpty: false);
        }, e => e is InvalidDataException, SealBatch);

    [Theory]
    [InlineData("gzip", 1)]
    [InlineData("snappy", 2)]
    [InlineData("lz4", 3)]
    [InlineData("zstd", 4)]
    public void Compressed_records(string name, int compression)
    {
        var streams = Corpus.Streams((Compression)compression);
        Assert.SkipWhen(streams.Count == 0, $"There is no program {name} to make valid inputs.");
        Run(name, streams, bytes => Decompressor.Open((Compression)compression, bytes, Cap), e => e is InvalidDataException);
    }

    [Fact]
    public async Task Write_ahead_files()
    {
        var files = (await Corpus.LogAsync()).Where(f => f.Key.StartsWith("wal/", StringComparison.Ordinal)).Select(f => f.Value).Where(f => f.AsSpan().ContainsAnyExcept((byte)0)).Select(f => f[..Math.Min(f.Length, 48 << 10)]).ToList();
        Assert.NotEmpty(files);
        var found = 0L;
        Run("wal", files, bytes =>
        {
            var disk = new BytesDisk();
            disk.Contents["wal/" + WalFiles.NameOf(0)] = bytes;
            disk.Contents["wal/" + WalFiles.NameOf(1)] = files[0];
            found += WalScan.Read(disk, "wal", 0, default).Frames.Count;
        }, e => e is LogFormatException);
        Assert.True(found > 0, "No frame was ever found: the inputs never got past the file's header.");
    }

    [Fact]
    public async Task Frames_whose_checksum_holds()
    {
        var disk = new BytesDisk();
        foreach (var (name, bytes) in await Corpus.LogAsync()) disk.Contents[name] = bytes;
        var frames = WalScan.Read(disk, "wal", 0, default).Frames.Select(f => disk.Contents[f.Path].AsSpan((int)f.Position, f.Header.Length).ToArray()).ToList();
        Assert.NotEmpty(frames);
        Run("frame", frames, bytes =>
        {
            if (bytes.Length < FrameFormat.HeaderSize) return;
            var entries = new EntryReader(bytes);
            while (entries.MoveNext())
                if (entries.Kind == EntryKind.Replace) Replacement.Read(entries.Bytes.Span, "/data/t-0");
        }, e => e is InvalidDataException or LogFormatException);
    }

    [Fact]
    public async Task State_files()
    {
        var state = (await Corpus.LogAsync())[StateFile.Name];
        Run("state", [state], bytes =>
        {
            var disk = new BytesDisk();
            disk.Contents["/data/" + StateFile.Name] = bytes;
            if (StateFile.Read(disk, "/data") is { } body) ReadBody(body);
        }, e => e is LogFormatException or InvalidDataException, SealState);
    }

    [Fact]
    public async Task Segments()
    {
        var log = await Corpus.LogAsync();
        var names = log.Keys.Where(n => n.StartsWith("t-0/", StringComparison.Ordinal) && n.EndsWith(".log", StringComparison.Ordinal)).Select(n => Path.ChangeExtension(n, null)).ToList();
        // One input holds the three files one behind the other; the lengths stay what they were.
        var corpus = names.Select(n => (byte[])[.. log[n + ".log"], .. log[n + ".index"], .. log[n + ".timeindex"]]).ToList();
        var random = new Random(1);
        Run("segment", corpus, bytes =>
        {
            var name = names[bytes.Length % names.Count];
            var (index, times) = (Math.Min(bytes.Length, log[name + ".index"].Length), Math.Min(bytes.Length, log[name + ".timeindex"].Length));
            var (first, second) = (Math.Max(0, bytes.Length - index - times), Math.Max(0, bytes.Length - times));
            var disk = new BytesDisk();
            var segment = new Segment("/t-0", long.Parse(Path.GetFileName(name), System.Globalization.CultureInfo.InvariantCulture)) { MaxTimestamp = long.MaxValue };
            (disk.Contents[segment.LogPath], disk.Contents[segment.IndexPath], disk.Contents[segment.TimeIndexPath]) = (bytes[..first], bytes[first..second], bytes[second..]);
            (segment.Size, segment.IndexBytes, segment.TimeIndexBytes) = (first, second - first, bytes.Length - second);
            new SegmentCheck(path => disk.Open(path, create: false)).Run(segment, -1);
            using var scan = new SegmentScan(disk, segment);
            Refused(() => { while (scan.MoveNext()) GC.KeepAlive(scan.Current); });
            using var files = new FileCache(disk, 3);
            var reader = new SegmentReader(files, new SumsCache(disk));
            Refused(() => reader.FindBatch([segment], 0, random.Next(3) * Batches.Time, segment.BaseOffset, long.MaxValue));
            reader.Read([segment], segment.BaseOffset + random.Next(40), long.MaxValue, random.Next(1, 5000));
        }, e => e is InvalidDataException or LogSpoiltException);
    }

    static void Refused(Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is InvalidDataException or LogSpoiltException) { }
    }

    static void ReadBody(byte[] body)
    {
        var disk = new BytesDisk();
        using var files = new FileCache(disk, 4);
        var topics = Catalog.Offline("/data", disk, files);
        StateBody.Read(body, topics, new TableSet());
        foreach (var partition in topics.Published.SelectMany(t => t.Partitions)) GC.KeepAlive(partition.Files.Segments);
    }

    static void SealBatch(byte[] bytes)
    {
        if (bytes.Length < RecordBatch.HeaderSize) return;
        bytes[RecordBatch.MagicAt] = 2;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(RecordBatch.LengthAt), bytes.Length - RecordBatch.LengthOverhead);
        RecordBatch.Seal(bytes);
    }

    static void SealState(byte[] bytes)
    {
        const int header = 24;
        if (bytes.Length < header) return;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(12), bytes.Length - header);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), Crc32C.Of(bytes.AsSpan(header)));
    }

    void Run(string target, IReadOnlyList<byte[]> corpus, Action<byte[]> body, Func<Exception, bool> declared, Action<byte[]>? repair = null, long thrownAway = 0)
    {
        output.WriteLine($"FUZZ_SEED={Fuzzer.Seed}, {Each} inputs");
        // What is valid is taken: else the corpus is none.
        foreach (var valid in corpus) body(valid.ToArray());
        var fuzzer = new Fuzzer(target, Fuzzer.Seed);
        fuzzer.Run(Each, corpus, body, declared, repair, thrownAway);
        output.WriteLine($"{fuzzer.Refused} refused");
    }
}
