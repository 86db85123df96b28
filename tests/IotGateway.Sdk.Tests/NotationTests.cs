using IotGateway.Sdk.Config;

namespace IotGateway.Sdk.Tests;

public sealed class NotationTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("100us", 0.1)]
    [InlineData("250ms", 250)]
    [InlineData("5s", 5_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("10min", 600_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("7d", 604_800_000)]
    public void Reads_durations(string text, double milliseconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromTicks((long)(milliseconds * TimeSpan.TicksPerMillisecond)), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("5S")]
    [InlineData("1e3s")]
    [InlineData("5sec")]
    [InlineData("0.01us")]
    [InlineData("99999999999d")]
    [InlineData("79228162514264337593543950335d")]
    public void Refuses_what_is_no_duration(string text) => Assert.False(Duration.TryParse(text, out _));

    [Fact]
    public void Durations_survive_their_own_notation()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 10_000; i++)
        {
            // All magnitudes, from 100 ns to thousands of years.
            var duration = TimeSpan.FromTicks(random.NextInt64(0, 1L << random.Next(1, 62)));
            var text = Duration.Format(duration);
            Assert.True(Duration.TryParse(text, out var back) && back == duration, $"{text}, seed {seed}");
        }
    }

    [Theory]
    [InlineData("64MiB", 64L << 20)]
    [InlineData("64 MiB", 64L << 20)]
    [InlineData("20GB", 20_000_000_000)]
    [InlineData("1.5KiB", 1_536)]
    [InlineData("512", 512)]
    [InlineData("512B", 512)]
    [InlineData("3kB", 3_000)]
    [InlineData("0", 0)]
    public void Reads_sizes(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out var size));
        Assert.Equal(bytes, size.Bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("-1B")]
    [InlineData("1.5B")]
    [InlineData("1mib")]
    [InlineData("1e3")]
    [InlineData("8388608TiB")]
    [InlineData("79228162514264337593543950335TiB")]
    public void Refuses_what_is_no_size(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Fact]
    public void Sizes_survive_their_own_notation()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 10_000; i++)
        {
            var size = new ByteSize(random.NextInt64(0, 1L << random.Next(1, 62)) << random.Next(0, 2));
            Assert.True(ByteSize.TryParse(size.ToString(), out var back) && back == size, $"{size}, seed {seed}");
        }
    }

    [Fact]
    public void Sizes_compare_by_bytes()
    {
        var (small, large) = (new ByteSize(1_000), new ByteSize(1_024));
        Assert.True(small < large && large > small && small <= large && large >= small && !(large < small));
    }

    [Theory]
    [InlineData("1/s", 1, 1)]
    [InlineData("10/min", 10, 60)]
    [InlineData("3/h", 3, 3_600)]
    [InlineData("1/10s", 1, 10)]
    [InlineData("11/11s", 11, 11)]
    [InlineData("2/1.5s", 2, 1.5)]
    public void Rates_survive_their_own_notation(string text, int count, double seconds)
    {
        Assert.True(Rate.TryParse(text, out var rate));
        Assert.Equal(new Rate(count, TimeSpan.FromSeconds(seconds)), rate);
        Assert.True(Rate.TryParse(rate.ToString(), out var back), rate.ToString());
        Assert.Equal(rate, back);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("/s")]
    [InlineData("0/s")]
    [InlineData("-1/s")]
    [InlineData("1/")]
    [InlineData("1/0s")]
    [InlineData("1/parsec")]
    public void Refuses_what_is_no_rate(string text) => Assert.False(Rate.TryParse(text, out _));
}
