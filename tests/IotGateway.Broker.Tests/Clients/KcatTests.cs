using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>kcat, the command line client over librdkafka.</summary>
public sealed class KcatTests
{
    [Fact]
    public async Task Lists_produces_and_consumes()
    {
        const string kcat = "/usr/bin/kcat";
        if (!File.Exists(kcat)) Assert.Skip("kcat is not installed (apt-get install kcat).");
        await using var broker = await TestBroker.StartAsync();
        var lines = string.Concat(Enumerable.Range(0, 1000).Select(i => $"key{i}|value{i}\n"));
        Assert.Equal(0, (await KafkaTools.ExecuteAsync(kcat, lines, "-b", broker.Bootstrap, "-P", "-t", "t", "-K", "|")).Code);

        var (code, listed) = await KafkaTools.ExecuteAsync(kcat, null, "-b", broker.Bootstrap, "-L");
        Assert.Equal(0, code);
        Assert.Contains("topic \"t\" with 1 partitions", listed, StringComparison.Ordinal);
        Assert.Contains($"broker 1 at {broker.Bootstrap}", listed, StringComparison.Ordinal);

        var (_, consumed) = await KafkaTools.ExecuteAsync(kcat, null, "-b", broker.Bootstrap, "-C", "-t", "t", "-o", "beginning", "-e", "-q", "-K", "|");
        Assert.Equal(lines, consumed);
    }
}
