using IotGateway.Broker.Server;

namespace IotGateway.Broker.Tests.Server;

public sealed class ReadBuffersTests
{
    [Fact]
    public void An_array_is_lent_again_once_it_was_given_back_and_not_before()
    {
        var buffers = new ReadBuffers();
        var (first, second) = (buffers.Rent(ReadBuffers.Size), buffers.Rent(ReadBuffers.Size - 1));
        Assert.NotSame(first, second);
        buffers.GiveBack(first.AsMemory(100, 5)); // the records are a part of it
        Assert.Same(first, buffers.Rent(ReadBuffers.Size));
        Assert.NotSame(first, buffers.Rent(ReadBuffers.Size));
    }

    [Fact]
    public void Arrays_of_other_sizes_and_no_records_are_taken_back_and_forgotten()
    {
        var buffers = new ReadBuffers();
        var (small, large) = (buffers.Rent(100), buffers.Rent(ReadBuffers.Size + 1));
        Assert.Equal([100, ReadBuffers.Size + 1], [small.Length, large.Length]);
        buffers.GiveBack(small);
        buffers.GiveBack(large);
        buffers.GiveBack(null);
        Assert.NotSame(small, buffers.Rent(100));
    }

    [Fact]
    public void No_more_than_a_few_are_kept()
    {
        var buffers = new ReadBuffers();
        var lent = Enumerable.Range(0, ReadBuffers.MostKept + 4).Select(_ => buffers.Rent(ReadBuffers.Size)).ToList();
        foreach (var array in lent) buffers.Return(array);
        Assert.Equal(ReadBuffers.MostKept, Enumerable.Range(0, lent.Count).Count(_ => lent.Contains(buffers.Rent(ReadBuffers.Size))));
    }
}
