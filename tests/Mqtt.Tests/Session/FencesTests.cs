using IotGateway.Connectors.Mqtt.Session;

namespace IotGateway.Tests.Mqtt.Session;

/// <summary>An answer may come before the sender of its PINGREQ goes on.</summary>
public sealed class FencesTests
{
    [Fact]
    public void Whoever_is_later_of_the_answer_and_the_sender_is_told_that_the_batch_is_certain()
    {
        var fences = new Fences(0);
        fences.Written(1);
        Assert.False(fences.Answered(1));
        Assert.Equal(0, fences.Certain);
        Assert.True(fences.Sent(1, 1));
        Assert.Equal(1, fences.Certain);

        fences.Written(2);
        Assert.False(fences.Sent(2, 2));
        Assert.True(fences.Answered(2));
        Assert.Equal(2, fences.Certain);
    }
}
