using IotGateway.Host.Bench.AgainstKafka;
using Xunit;

namespace IotGateway.Host.Tests;

/// <summary>What the bench takes for a client that did its work.</summary>
public sealed class ClientsTests
{
    const string Counted = "% 2999999 messages produced (300000000 bytes), 3000000 delivered (offset 0, 0 failed) in 1171ms: 2560942 msgs/s and 256.09 MB/s, 0 produce failures, 0 in queue, no compression\n";

    [Theory]
    [InlineData(Counted, true)] // as it was seen, with exit code 1
    [InlineData("% 3000000 messages produced (300000000 bytes), 2999999 delivered (offset 0, 0 failed) in 1171ms: …\n", false)]
    [InlineData("% 3000000 messages produced (300000000 bytes), 3000000 delivered (offset 0, 1 failed) in 1171ms: …\n", false)]
    [InlineData("% 3000000 messages produced (300000000 bytes), 30000000 delivered (offset 0, 0 failed) in 1171ms: …\n", false)]
    [InlineData(Counted + "% 3000000 messages produced (300000000 bytes), 17 delivered (offset 0, 0 failed) in 1171ms: …\n", false)] // the last line counts
    [InlineData("% Fatal error\n", false)]
    [InlineData("", false)]
    public void Rdkafka_performance_is_judged_by_what_it_delivered(string said, bool delivered) => Assert.Equal(delivered, Clients.DeliveredAll(said, 3_000_000));
}
