using Google.Protobuf;
using IotGateway.Connectors.Sparkplug.Plant;
using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Testing;
using IotGateway.Tests.Sparkplug.Support;

namespace IotGateway.Tests.Sparkplug.Wire;

/// <summary>Payloads within bounds, and everything else refused.</summary>
public sealed class PayloadReaderTests(ITestOutputHelper output)
{
    [Fact]
    public void Too_many_metrics_are_refused_before_they_are_made()
    {
        var metrics = new byte[2 * (PayloadGuard.MostMessages + 1)];
        for (var i = 0; i < metrics.Length; i += 2) metrics[i] = 0x12; // metrics of no length
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<PayloadException>(() => PayloadReader.Read(metrics));
        Assert.Contains("100000", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 10);
        Assert.Equal(PayloadGuard.MostMessages, PayloadReader.Read(metrics.AsMemory(2)).Metrics.Count);
    }

    [Fact]
    public void Too_many_levels_are_refused()
    {
        var metric = Metrics.Int("leaf", 1);
        for (var i = 0; i < 8; i++) metric = Metrics.Of("t", MetricType.Template, m => m.TemplateValue = new Template { Metrics = { metric } });
        Assert.Throws<PayloadException>(() => PayloadReader.Read(Metrics.Payload(0, metric)));
        Assert.Single(PayloadReader.Read(Metrics.Payload(0, metric.TemplateValue.Metrics[0])).Metrics);
    }

    [Fact]
    public void Unknown_fields_are_skipped()
        => Assert.Equal(7UL, PayloadReader.Read(Convert.FromHexString("18079A06024142A0060A")).Seq);

    /// <summary>Mutated payloads, through the whole of parsing, births and data. <c>FUZZ=10000000</c> makes it long.</summary>
    [Fact]
    public void Mutated_payloads_are_read_or_refused_within_bounds()
    {
        output.WriteLine($"seed {Fuzzer.Seed}");
        var fuzzer = new Fuzzer("sparkplug-payload", Fuzzer.Seed);
        var set = new DataSet { NumOfColumns = 2, Columns = { "a", "b" }, Types_ = { 3, 12 } };
        set.Rows.Add(new DataSet.Types.Row { Elements = { new DataSet.Types.DataSetValue { IntValue = 1 }, new DataSet.Types.DataSetValue { StringValue = "x" } } });
        byte[][] corpus =
        [
            Metrics.Payload(0, 1_700_000_000_000, Metrics.Session(1), Metrics.Int("a", 1, alias: 1), Metrics.Double("b", 2, alias: 2).With("engUnit", MetricType.String, p => p.StringValue = "bar").With("Quality", MetricType.Int32, p => p.IntValue = 192)),
            Metrics.Payload(1, 1_700_000_000_000, Metrics.Alias(1, 5), Metrics.Alias(2, 6)),
            Metrics.Payload(2, Metrics.Of("set", MetricType.DataSet, m => m.DatasetValue = set), Metrics.Of("bits", MetricType.BooleanArray, m => m.BytesValue = ByteString.CopyFrom(9, 0, 0, 0, 1, 128))),
            Metrics.Payload(3, Metrics.Of("t", MetricType.Template, m => m.TemplateValue = new Template { TemplateRef = "r", Metrics = { Metrics.Int("x", 1) }, Parameters = { new Template.Types.Parameter { Name = "p", Type = 3, IntValue = 1 } } })),
            CompressedPayloadTests.Cover("GZIP", Metrics.Payload(1, Metrics.Alias(1, 5))), CompressedPayloadTests.Cover(null, Metrics.Payload(0, Metrics.Session(1), Metrics.Int("a", 1, alias: 1))),
            Metrics.Payload(4, Metrics.Of("texts", MetricType.StringArray, m => m.BytesValue = ByteString.CopyFromUtf8("a\0bc\0")), Metrics.Of("big", MetricType.UInt64, m => m.LongValue = ulong.MaxValue)),
        ];
        string[] topics = ["spBv1.0/g/NBIRTH/e", "spBv1.0/g/NDATA/e", "spBv1.0/g/DBIRTH/e/d", "spBv1.0/g/DDATA/e/d", "spBv1.0/g/NDEATH/e"];
        var turn = 0;
        var plant = new PlantUnderTest();
        var dead = 0;
        fuzzer.Run(Fuzzer.Executions(100_000), corpus, bytes =>
        {
            if (++turn % 1_000 == 0) plant = new PlantUnderTest(); // its tags are kept for good, as the gateway's are up to limits.tags
            var given = new PlantOutput("plant");
            plant.Model.Apply(System.Text.Encoding.UTF8.GetBytes(topics[turn % topics.Length]), bytes, DateTime.UnixEpoch, given);
            dead += given.Records.Count;
        }, static _ => false);
        Assert.InRange(dead, 1_000, int.MaxValue);
    }
}
