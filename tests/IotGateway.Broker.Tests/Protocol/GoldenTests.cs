namespace IotGateway.Broker.Tests.Protocol;

public sealed class GoldenTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Apache_Kafka_reads_every_message_in_every_version_and_writes_the_same_bytes()
    {
        KafkaTools.SkipWithout();
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var lines = Codec.All.SelectMany(c => MessageTests.Samples(c.ToString(), random, 2))
            .Select(s => $"{s.Codec} {s.Version} {Convert.ToBase64String(s.Bytes)}").ToList();
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(file, lines, TestContext.Current.CancellationToken);
            var source = Path.Combine(AppContext.BaseDirectory, "Protocol", "Golden.java");
            var (_, text) = await KafkaTools.ExecuteAsync("java", null, "-cp", Path.Combine(KafkaTools.Directory!, "libs", "*"), source, file);
            Assert.True(text.Contains($"same {lines.Count}\n", StringComparison.Ordinal), text[..Math.Min(text.Length, 4000)]);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
