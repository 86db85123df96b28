using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Testing;

namespace IotGateway.Tests.Mqtt.Client;

public sealed class GatheringTests
{
    readonly ManualTime _time = new();
    readonly Gathering _gathering;

    public GatheringTests() => _gathering = new(_time);

    [Theory]
    [InlineData(7, 100, false)] // too slow
    [InlineData(8, 100, true)]
    [InlineData(8, 16 << 10, false)] // the last read brought much
    public void Waits_only_for_messages_that_come_fast_and_in_little_pieces(int messages, int read, bool waits)
    {
        Assert.True(_gathering.WaitAsync(read, default).IsCompleted); // nothing is known yet
        for (var i = 0; i < messages * 5; i++) _gathering.Count();
        _time.Advance(TimeSpan.FromMilliseconds(5));
        var waiting = _gathering.WaitAsync(read, default);
        Assert.Equal(waits, !waiting.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(waiting.IsCompletedSuccessfully);
    }

    [Fact]
    public void Ceases_to_wait_when_fewer_come()
    {
        for (var i = 0; i < 100; i++) _gathering.Count();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(_gathering.WaitAsync(100, default).IsCompleted);
        _gathering.Count();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(_gathering.WaitAsync(100, default).IsCompleted);
    }
}
