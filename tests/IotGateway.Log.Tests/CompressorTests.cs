using System.Diagnostics;
using System.Text;
using IotGateway.Log.Bytes;
using IotGateway.Log.Records;
using IotGateway.Log.Records.Packers;

namespace IotGateway.Log.Tests;

/// <summary>Encoders against our own decoders, with seeds, and against the reference programs.</summary>
public sealed class CompressorTests
{
    static readonly byte[] Readings = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 4000).Select(i =>
        $$"""{"device":"press{{i % 7}}","tag":"temperature{{i % 11}}","type":"float32","value":{{20 + i * 37 % 101 / 10.0}},"unit":"°C","quality":"good","time":"2026-11-20T08:{{i / 60 % 60:00}}:{{i % 60:00}}.{{i * 7919 % 1000000:000000}}Z"}""")));

    public static TheoryData<Compression, int> All { get; } = new()
    {
        { Compression.Gzip, -1 }, { Compression.Gzip, 9 }, { Compression.Snappy, 0 },
        { Compression.Lz4, 1 }, { Compression.Lz4, 9 }, { Compression.Lz4, 17 },
        { Compression.Zstd, -5 }, { Compression.Zstd, 1 }, { Compression.Zstd, 3 }, { Compression.Zstd, 9 }, { Compression.Zstd, 22 },
    };

    [Theory, MemberData(nameof(All))]
    public void Whatever_is_packed_opens_to_the_same(Compression compression, int level)
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 150; round++)
        {
            var input = Input(random);
            var packed = Pack(new(compression, level), input);
            Assert.True(Decompressor.Open(compression, packed, Math.Max(input.Length, 1)).Span.SequenceEqual(input), $"seed {seed}, round {round}, {input.Length} bytes");
        }
    }

    [Theory]
    [InlineData("lz4", Compression.Lz4)]
    [InlineData("zstd", Compression.Zstd)]
    public async Task The_reference_program_opens_it(string program, Compression compression)
    {
        Assert.SkipUnless(File.Exists($"/usr/bin/{program}"), $"The program {program} is not installed.");
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 24; round++)
        {
            var input = round switch { 0 => [], 1 => [1], 2 => Readings, 3 => new byte[300_000], _ => Input(random) };
            var level = compression == Compression.Lz4 ? random.Next(1, 18) : random.Next(-3, 23);
            var opened = await PipeAsync(program, ["-d", "-c"], Pack(new(compression, level), input), $"seed {seed}, round {round}, level {level}, {input.Length} bytes");
            Assert.True(opened.AsSpan().SequenceEqual(input), $"seed {seed}, round {round}, level {level}, {input.Length} bytes");
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Readings_shrink(Compression compression, int level)
    {
        var clock = Stopwatch.StartNew();
        var packed = Pack(new(compression, level), Readings);
        var factor = (double)Readings.Length / packed.Length;
        TestContext.Current.TestOutputHelper!.WriteLine($"{compression} {level}: {Readings.Length} to {packed.Length} bytes, {factor:0.0} times, {clock.ElapsedMilliseconds} ms");
        Assert.True(factor >= (compression is Compression.Gzip or Compression.Zstd ? 8 : 5), $"only {factor:0.0} times");
    }

    [Fact]
    public void Random_bytes_hardly_grow()
    {
        var input = new byte[500_000];
        new Random(3).NextBytes(input);
        foreach (var compression in (Compression[])[Compression.Snappy, Compression.Lz4, Compression.Zstd, Compression.Gzip])
            Assert.InRange(Pack(new(compression, 3), input).Length, 0, input.Length + input.Length / 500 + 100);
    }

    [Fact]
    public void A_repacked_batch_keeps_all_but_its_bytes()
    {
        var builder = new RecordBatchBuilder { ProducerId = 7, ProducerEpoch = 1, BaseSequence = 5 };
        for (var i = 0; i < 300; i++) builder.Add(1000 + i, Encoding.UTF8.GetBytes("key" + i % 9), Encoding.UTF8.GetBytes("value number " + i));
        var batch = builder.Build().ToArray();
        var before = batch;
        foreach (var compression in (Compression[])[Compression.Zstd, Compression.Lz4, Compression.Snappy, Compression.Gzip, Compression.None])
        {
            batch = BatchPacker.Pack(batch, new(compression, 3), 1 << 20)!.Value.ToArray();
            var view = new RecordBatch(batch);
            Assert.True(view.IsWhole && view.ChecksumHolds && view.Compression == compression);
            Assert.Equal((300, 299, 7L, 5, 1299L), (view.Count, view.LastOffsetDelta, view.ProducerId, view.BaseSequence, view.MaxTimestamp));
            Assert.Equal(AppendError.None, BatchCheck.Check(batch, 1 << 20, received: true, RecordRules.None).Error);
        }
        Assert.Equal(before, batch);
    }

    static byte[] Pack(Packing packing, byte[] input)
    {
        var output = new ByteWriter(64);
        Compressor.Pack(packing, input, output);
        return output.Written.ToArray();
    }

    // Texts, noise, runs, few symbols and mixtures of them; sizes around the limits of blocks.
    static byte[] Input(Random random)
    {
        var bytes = new List<byte>();
        for (var parts = random.Next(1, 6); parts > 0; parts--)
        {
            var length = random.Next(4) switch { 0 => random.Next(40), 1 => random.Next(3000), 2 => random.Next(100_000), _ => random.Next(250_000) };
            var symbols = random.Next(1, 257);
            var at = random.Next(Readings.Length);
            switch (random.Next(5))
            {
                case 0:
                    bytes.AddRange(Readings.AsSpan(at, Math.Min(length, Readings.Length - at)));
                    break;
                case 1:
                    for (; length > 0; length--) bytes.Add((byte)random.Next(symbols));
                    break;
                case 2:
                    bytes.AddRange(Enumerable.Repeat((byte)random.Next(256), length));
                    break;
                case 3 when bytes.Count > 0:
                    for (var from = random.Next(bytes.Count); length > 0; length--) bytes.Add(bytes[from++]);
                    break;
                default:
                    for (; length > 0; length--) bytes.Add((byte)(Math.Pow(random.NextDouble(), 8) * symbols)); // skewed: long codes
                    break;
            }
        }
        return [.. bytes];
    }

    static async Task<byte[]> PipeAsync(string program, string[] arguments, byte[] input, string what)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var feeding = Task.Run(() =>
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        });
        var errors = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(output);
        await feeding;
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{what}: {await errors}");
        return output.ToArray();
    }
}
