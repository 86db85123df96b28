using System.Text;
using IotGateway.Connect.EventLog;

namespace IotGateway.Connect.Tests.EventLog;

public sealed class Murmur2Tests
{
    // The vectors of Kafka's own UtilsTest.testMurmur2.
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Hashes_as_the_Java_clients_do(string key, int hash) => Assert.Equal(hash, Murmur2.Hash(Encoding.UTF8.GetBytes(key)));

    [Fact]
    public void Partitions_are_never_negative()
    {
        for (var i = 0; i < 1000; i++) Assert.InRange(Murmur2.Partition(BitConverter.GetBytes(i * 7919), 7), 0, 6);
    }
}
