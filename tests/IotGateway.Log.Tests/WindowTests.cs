using System.Buffers.Binary;
using System.Diagnostics;
using IotGateway.Log.Records;
using Compression = IotGateway.Log.Records.Compression;

namespace IotGateway.Log.Tests;

/// <summary>
/// Rule 12: Zstandard may refer far back. What its specification asks of decoders (8 MiB) is opened, though little is kept of a small batch at first; a
/// batch that needs more is refused and not held in memory. Packed by the reference program.
/// </summary>
public sealed class WindowTests
{
    const int Noise = 4096;

    [Theory]
    [InlineData(700 << 10, true)]
    [InlineData(7 << 20, true)]
    [InlineData(20 << 20, false)]
    public async Task Opens_what_refers_back_as_far_as_a_decoder_has_to_keep_and_no_further(int distance, bool opens)
    {
        var value = new byte[distance + Noise];
        new Random(1).NextBytes(value.AsSpan(0, Noise));
        value.AsSpan(0, Noise).CopyTo(value.AsSpan(distance));
        var builder = new RecordBatchBuilder();
        builder.Add(Batches.Time, "key"u8, value);
        var plain = builder.Build();
        var packed = await ZstdAsync(plain[RecordBatch.HeaderSize..]);
        byte[] batch = [.. plain.Span[..RecordBatch.HeaderSize], .. packed];
        Assert.InRange(batch.Length, Noise, Noise * 3); // the second noise is told by where the first is
        batch[RecordBatch.AttributesAt + 1] |= (byte)Compression.Zstd;
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.LengthAt), batch.Length - RecordBatch.LengthOverhead);
        RecordBatch.Seal(batch);

        Assert.Equal(opens ? AppendError.None : AppendError.CorruptBatch, BatchCheck.Check(batch, 1 << 20, received: true, RecordRules.None).Error);
        if (!opens) return;
        var read = 0;
        foreach (var record in new RecordReader(batch))
        {
            Assert.True(record.Value!.Value.Span.SequenceEqual(value));
            read++;
        }
        Assert.Equal(1, read);
    }

    static async Task<byte[]> ZstdAsync(ReadOnlyMemory<byte> input)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/zstd"), "The reference program zstd is not installed.");
        using var zstd = Process.Start(new ProcessStartInfo("/usr/bin/zstd", ["--long=27", "-c", "-q"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        using var packed = new MemoryStream();
        var reading = zstd.StandardOutput.BaseStream.CopyToAsync(packed, TestContext.Current.CancellationToken);
        await zstd.StandardInput.BaseStream.WriteAsync(input, TestContext.Current.CancellationToken);
        zstd.StandardInput.Close();
        await reading;
        await zstd.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, zstd.ExitCode);
        return packed.ToArray();
    }
}
