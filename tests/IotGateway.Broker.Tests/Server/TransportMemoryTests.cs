using IotGateway.Broker.Server;

namespace IotGateway.Broker.Tests.Server;

public sealed class TransportMemoryTests
{
    [Fact]
    public void Blocks_are_large_until_many_are_lent_and_large_again_when_they_come_back()
    {
        using var memory = new TransportMemory();
        var lent = Enumerable.Range(0, TransportMemory.MostLarge).Select(_ => memory.Rent(TransportMemory.Small)).ToList();
        Assert.All(lent, b => Assert.Equal(TransportMemory.Large, b.Memory.Length));
        using (var next = memory.Rent(TransportMemory.Small)) Assert.Equal(TransportMemory.Small, next.Memory.Length);
        using (var large = memory.Rent(TransportMemory.Small + 1)) Assert.Equal(TransportMemory.Large, large.Memory.Length);
        lent[0].Dispose();
        lent[0].Dispose(); // a second time counts for nothing
        using var again = memory.Rent(TransportMemory.Small);
        using var last = memory.Rent(TransportMemory.Small);
        Assert.Equal([TransportMemory.Large, TransportMemory.Small], [again.Memory.Length, last.Memory.Length]);
    }

    [Fact]
    public void A_block_that_came_back_is_lent_again()
    {
        using var memory = new TransportMemory();
        var first = memory.Rent();
        first.Memory.Span[0] = 42;
        first.Dispose();
        using var second = memory.Rent();
        Assert.Equal(42, second.Memory.Span[0]);
    }
}
