using IotGateway.Host.Bench.AgainstKafka;

namespace IotGateway.Host.Tests;

/// <summary>The bounds a benchmark's verdict stands on.</summary>
public sealed class RatiosTests
{
    // Binomial(n, 1/2): five heads of five have 3.1 %, one or none of eight 3.5 %, five or fewer of twenty 2.1 %, six or fewer 5.8 %.
    [Theory]
    [InlineData(5, 1)]
    [InlineData(7, 1)]
    [InlineData(8, 2)]
    [InlineData(20, 6)]
    public void The_lower_bound_is_the_order_statistic_of_the_sign_test(int count, int rank)
    {
        var ratios = new Ratios(Enumerable.Range(1, count).Select(n => (double)n).Reverse());
        Assert.Equal(rank, ratios.Low);
        Assert.Equal(count + 1 - rank, ratios.High);
        Assert.True(ratios.IsEnough);
    }

    [Fact]
    public void Four_values_prove_nothing() => Assert.Equal("too few pairs to say", Pairs.Say(new Ratios([2, 2, 2, 2]), 1));

    [Fact]
    public void The_bound_decides_and_not_the_median()
    {
        Assert.Equal("met", Pairs.Say(new Ratios([1.1, 1.2, 1.3, 1.4, 1.5]), 1));
        Assert.Equal("missed", Pairs.Say(new Ratios([0.5, 0.6, 0.7, 0.8, 0.9]), 1));
        Assert.StartsWith("undecided", Pairs.Say(new Ratios([0.9, 1.2, 1.3, 1.4, 1.5]), 1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_that_differ_among_themselves_by_more_than_3_percent_decide_nothing()
    {
        Assert.StartsWith("inconclusive", await VerdictAsync(ours: [1.10, 1.00]), StringComparison.Ordinal);
        Assert.Equal("met", await VerdictAsync(ours: [1.11, 1.10]));
        Assert.Equal("inconclusive: A against A differs by 10 % (by the bounds alone: met)", await VerdictAsync(ours: [3.3, 3.0]));
    }

    // Rates by turns as given, against one that is always 1; the first run warms up.
    static async Task<string> VerdictAsync(double[] ours)
    {
        var run = 0;
        var pairs = await Pairs.MeasureAsync(3, _ => Task.FromResult(Of(ours[run++ == 0 ? 0 : run % 2])), _ => Task.FromResult(Of(1)), TestContext.Current.CancellationToken);
        return (string)pairs.Report(target: 1, towards: 2, perCore: false).Last().Value!;
    }

    static Sample Of(double rate) => new(1_000_000, TimeSpan.FromSeconds(1 / rate), TimeSpan.FromSeconds(1));
}
