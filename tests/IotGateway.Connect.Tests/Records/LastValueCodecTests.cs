using System.Buffers;
using IotGateway.Connect.Records;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Records;

public sealed class LastValueCodecTests
{
    [Theory, MemberData(nameof(RecordEncoderTests.Values), MemberType = typeof(RecordEncoderTests))]
    public void Reads_back_every_kind_of_value(Value value, string _)
    {
        var tag = new Encoded().Tag(value.Type);
        var reading = new Reading(tag, value, Encoded.At.AddSeconds(-1), Encoded.At) { Quality = Quality.Uncertain, Status = "s°", Label = "Running" };
        var bytes = Write(reading);
        Assert.True(LastValueCodec.TryRead(tag, bytes, out var back));
        Assert.Equal(reading, back);
        // Cut anywhere it reads as absent, never throws.
        for (var i = 0; i < bytes.Length; i++) Assert.False(LastValueCodec.TryRead(tag, bytes.AsSpan(0, i), out Reading cut), $"{i} {cut}");
    }

    [Fact]
    public void A_hundred_thousand_scalars_take_less_than_ten_megabytes()
        => Assert.InRange(Write(new(new Encoded().Tag(DataType.Float64), Value.Of(1.5), Encoded.At, Encoded.At)).Length * 100_000, 1, 10_000_000);

    static byte[] Write(Reading reading)
    {
        var to = new ArrayBufferWriter<byte>();
        LastValueCodec.Write(to, reading);
        return to.WrittenSpan.ToArray();
    }
}
