using IotGateway.Connectors.Modbus.Planning;

namespace Modbus.Tests.Planning;

public sealed class PlannerTests
{
    static readonly PlanRules Rules = new(40, 1, 125, 20);

    [Fact]
    public void Neighbours_share_a_request()
    {
        var plan = Planner.Plan([new(100, 2), new(102, 2), new(104, 1)], Rules);
        Assert.Equal(new Span(100, 5), Assert.Single(plan).Span);
    }

    [Fact]
    public void A_gap_is_read_only_where_that_is_cheaper_and_allowed()
    {
        Assert.Single(Planner.Plan([new(0, 1), new(21, 1)], Rules));
        Assert.Equal(2, Planner.Plan([new(0, 1), new(22, 1)], Rules).Count);
        Assert.Equal(2, Planner.Plan([new(0, 1), new(11, 1)], Rules with { PerRequest = 5 }).Count);
    }

    [Fact]
    public void No_request_exceeds_the_limit()
        => Assert.Equal([125, 125, 50], Planner.Plan([.. Enumerable.Range(0, 300).Select(i => new Span(i, 1))], Rules).Select(r => r.Span.Length).Order().Reverse());

    [Fact]
    public void A_value_is_never_torn()
    {
        var plan = Planner.Plan([.. Enumerable.Range(0, 100).Select(i => new Span(i * 4, 4))], Rules);
        Assert.All(plan, r => Assert.Equal(0, r.Span.Length % 4));
    }

    [Fact]
    public void It_is_as_cheap_as_any_plan_there_is()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 400; round++)
        {
            var spans = Enumerable.Range(0, random.Next(1, 8)).Select(_ => new Span(random.Next(60), random.Next(1, 9))).ToArray();
            var rules = new PlanRules(random.Next(1, 30), random.Next(1, 4), random.Next(8, 40), random.Next(0, 15));
            var plan = Planner.Plan(spans, rules);
            Assert.Equal(Enumerable.Range(0, spans.Length), plan.SelectMany(r => r.Items).Order());
            foreach (var request in plan)
            {
                Assert.True(request.Span.Length <= rules.MaxLength, $"Seed {seed}, round {round}");
                Assert.All(request.Items, i => Assert.True(spans[i].Start >= request.Span.Start && spans[i].End <= request.Span.End, $"Seed {seed}, round {round}"));
            }
            var cost = plan.Sum(r => rules.PerRequest + rules.PerElement * r.Span.Length);
            Assert.True(cost == BruteForce(spans, rules), $"Seed {seed}, round {round}: {cost} against {BruteForce(spans, rules)}");
        }
    }

    /// <summary>Every way to put the spans into groups, neighbours or not.</summary>
    static double BruteForce(Span[] spans, PlanRules rules)
    {
        var best = double.PositiveInfinity;
        var group = new int[spans.Length];
        void Try(int i, int groups)
        {
            if (i == spans.Length)
            {
                var total = 0.0;
                for (var g = 0; g < groups; g++) total += Cost([.. spans.Where((_, k) => group[k] == g)], rules);
                best = Math.Min(best, total);
                return;
            }
            for (var g = 0; g <= groups; g++)
            {
                group[i] = g;
                Try(i + 1, Math.Max(groups, g + 1));
            }
        }
        Try(0, 0);
        return best;
    }

    static double Cost(Span[] group, PlanRules rules)
    {
        Array.Sort(group, (a, b) => a.Start.CompareTo(b.Start));
        var end = group[0].End;
        foreach (var span in group)
        {
            if (span.Start - end > rules.MaxGap) return double.PositiveInfinity;
            end = Math.Max(end, span.End);
        }
        var length = end - group[0].Start;
        return group.Length > 1 && length > rules.MaxLength ? double.PositiveInfinity : rules.PerRequest + rules.PerElement * length;
    }
}
