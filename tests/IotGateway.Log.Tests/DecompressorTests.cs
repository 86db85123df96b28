using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using IotGateway.Log.Records;
using Compression = IotGateway.Log.Records.Compression;

namespace IotGateway.Log.Tests;

/// <summary>Decoders against what other programs compressed, and against nonsense.</summary>
public sealed class DecompressorTests
{
    static readonly byte[] Text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 3000).Select(i => $"line {i % 97} of {i}, temperature {i % 13}.5\n")));

    [Fact]
    public void Opens_gzip()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(Text);
        Assert.Equal(Text, Decompressor.Open(Compression.Gzip, packed.ToArray(), 1 << 20).ToArray());
        Assert.Throws<InvalidDataException>(() => Decompressor.Open(Compression.Gzip, packed.ToArray(), 1000));
    }

    [Theory]
    [InlineData("lz4", Compression.Lz4, "-1")]
    [InlineData("lz4", Compression.Lz4, "-9")]
    [InlineData("lz4", Compression.Lz4, "-B4", "-BD")]
    [InlineData("zstd", Compression.Zstd, "-1")]
    [InlineData("zstd", Compression.Zstd, "-3", "--no-check")]
    [InlineData("zstd", Compression.Zstd, "-19")]
    public async Task Opens_what_the_reference_program_packed(string program, Compression compression, params string[] options)
    {
        Assert.SkipUnless(File.Exists($"/usr/bin/{program}"), $"The program {program} is not installed.");
        foreach (var input in (byte[][])[[], [1], "hello, hello, hello, plant"u8.ToArray(), Text, new byte[200_000], Random(70_000)])
        {
            var packed = await PipeAsync(program, [.. options, "-c"], input);
            Assert.Equal(input, Decompressor.Open(compression, packed, 1 << 20).ToArray());
            if (input.Length > 1000) Assert.Throws<InvalidDataException>(() => Decompressor.Open(compression, packed, 1000));
        }
    }

    [Fact]
    public void Opens_snappy_raw_and_framed()
    {
        // By hand, from the format description: length 11, literal "abcde", copy of 6 from 5 back (overlapping).
        byte[] raw = [11, 4 << 2, (byte)'a', (byte)'b', (byte)'c', (byte)'d', (byte)'e', ((6 - 4) << 2) | 1, 5];
        Assert.Equal("abcdeabcdea", Encoding.ASCII.GetString(Decompressor.Open(Compression.Snappy, raw, 100).Span));
        byte[] framed = [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1,
            0, 0, 0, (byte)raw.Length, .. raw, 0, 0, 0, (byte)raw.Length, .. raw];
        Assert.Equal("abcdeabcdeaabcdeabcdea", Encoding.ASCII.GetString(Decompressor.Open(Compression.Snappy, framed, 100).Span));
        Assert.Throws<InvalidDataException>(() => Decompressor.Open(Compression.Snappy, framed, 15));
    }

    [Theory]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Snappy)]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zstd)]
    public void Says_invalid_to_nonsense_and_never_more(Compression compression)
    {
        var random = new Random(1);
        byte[] start = compression switch
        {
            Compression.Lz4 => [0x04, 0x22, 0x4D, 0x18, 0x40, 0x40, 0],
            Compression.Zstd => [0x28, 0xB5, 0x2F, 0xFD, 0x20, 0x30, 0x85, 0x01, 0x00],
            Compression.Gzip => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0],
            _ => [0x80, 0x10],
        };
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[start.Length + random.Next(40)];
            random.NextBytes(bytes);
            if (i % 4 != 0) start.CopyTo(bytes, 0);
            try
            {
                Assert.InRange(Decompressor.Open(compression, bytes, 10_000).Length, 0, 10_000);
            }
            catch (InvalidDataException) { }
        }
    }

    static byte[] Random(int length)
    {
        var bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    static async Task<byte[]> PipeAsync(string program, string[] arguments, byte[] input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var feeding = Task.Run(() =>
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        });
        using var output = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(output);
        await feeding;
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }
}
