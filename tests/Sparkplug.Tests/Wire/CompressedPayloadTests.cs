using System.IO.Compression;
using Google.Protobuf;
using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Tests.Sparkplug.Support;

namespace IotGateway.Tests.Sparkplug.Wire;

/// <summary>Payloads within payloads: opened where they are what they say, and never beyond the bound.</summary>
public sealed class CompressedPayloadTests
{
    /// <summary>A payload as Tahu's libraries compress it.</summary>
    internal static byte[] Cover(string? algorithm, ReadOnlySpan<byte> inner, int cut = 0)
    {
        var packed = new MemoryStream();
        using (Stream packing = algorithm == "GZIP" ? new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true) : new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true)) packing.Write(inner);
        var cover = new Payload { Uuid = "SPBV1.0_COMPRESSED", Body = ByteString.CopyFrom(packed.ToArray().AsSpan(0, (int)packed.Length - cut)) };
        if (algorithm is not null) cover.Metrics.Add(Metrics.Of("algorithm", MetricType.String, m => m.StringValue = algorithm));
        return cover.ToByteArray();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("DEFLATE")]
    [InlineData("deflate")]
    [InlineData("GZIP")]
    public void What_is_within_is_read(string? algorithm)
    {
        var payload = PayloadReader.Read(Cover(algorithm, Metrics.Payload(7, Metrics.Int("a", -5))));
        Assert.Equal((7UL, "a", unchecked((uint)-5)), (payload.Seq, Assert.Single(payload.Metrics).Name, payload.Metrics[0].IntValue));
    }

    [Fact]
    public void What_opens_without_end_is_given_up_at_the_bound()
    {
        var bomb = Cover("GZIP", new byte[200 << 20]); // 200 kB
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<PayloadException>(() => PayloadReader.Read(bomb));
        Assert.Contains("16 MiB", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4L * CompressedPayload.Largest);
    }

    [Fact]
    public void What_is_damaged_cut_short_nested_or_of_another_algorithm_is_refused()
    {
        var inner = Metrics.Payload(7, [.. Enumerable.Range(0, 50).Select(i => Metrics.Int($"metric {i}", i * i))]);
        byte[] dictionary = [0x78, 0xBB, 1, 2, 3, 4, 5, 6, 7, 8]; // FDICT set
        foreach (var (bytes, word) in new[]
        {
            (new Payload { Uuid = "SPBV1.0_COMPRESSED", Body = ByteString.CopyFrom(dictionary) }.ToByteArray(), "damaged"),
            (Cover("GZIP", inner, cut: 12), "cut short"), (Cover("DEFLATE", inner, cut: 12), "cut short"), (Cover("DEFLATE", inner, cut: 3), "cut short"), (Cover("GZIP", inner, cut: 1), "cut short"),
            (Cover("LZMA", inner), "algorithm"), (Cover("GZIP", Cover(null, inner)), "twice"), (new Payload { Uuid = "SPBV1.0_COMPRESSED" }.ToByteArray(), "no body"),
            (new Payload { Uuid = "SPBV1.0_COMPRESSED", Body = ByteString.CopyFrom(inner) }.ToByteArray(), "damaged"), (Cover(null, new byte[] { 0xFF, 0xFF }), "no Sparkplug B payload"),
        })
        {
            var error = Assert.Throws<PayloadException>(() => PayloadReader.Read(bytes));
            Assert.Contains(word, error.Message, StringComparison.Ordinal);
        }
    }
}
