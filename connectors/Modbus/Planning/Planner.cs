namespace IotGateway.Connectors.Modbus.Planning;

/// <summary>
/// Packs spans of one area into the cheapest requests: a request costs <c>a</c> plus <c>b</c> per element read, gaps included.
/// </summary>
/// <remarks>
/// A span inside another costs nothing beside it, so such spans ride along. What is left has its starts and ends in the same
/// order, and then some cheapest plan takes neighbours only: two requests that cross can exchange spans without growing.
/// So a dynamic programme over prefixes is exact; it looks back no further than one request reaches.
/// </remarks>
internal static class Planner
{
    /// <summary>Makes the plan; every span is in exactly one request. Pure.</summary>
    /// <param name="spans">In any order; none longer than <see cref="PlanRules.MaxLength"/>.</param>
    /// <param name="rules">Costs and limits.</param>
    public static IReadOnlyList<PlannedRequest> Plan(IReadOnlyList<Span> spans, PlanRules rules)
    {
        var order = Enumerable.Range(0, spans.Count).OrderBy(i => spans[i].Start).ThenByDescending(i => spans[i].End).ToArray();
        var owners = new List<List<int>>();
        var carriers = new List<Span>();
        foreach (var i in order)
        {
            if (carriers.Count > 0 && spans[i].End <= carriers[^1].End) owners[^1].Add(i);
            else
            {
                carriers.Add(spans[i]);
                owners.Add([i]);
            }
        }
        return Cut(carriers, Cheapest(carriers, rules), owners);
    }

    // previous[i]: where the last request of the cheapest plan for the first i spans begins.
    static int[] Cheapest(List<Span> spans, PlanRules rules)
    {
        var cost = new double[spans.Count + 1];
        var previous = new int[spans.Count + 1];
        for (var i = 1; i <= spans.Count; i++)
        {
            cost[i] = double.PositiveInfinity;
            for (var j = i - 1; j >= 0; j--)
            {
                var length = spans[i - 1].End - spans[j].Start;
                if (j < i - 1 && (length > rules.MaxLength || spans[j + 1].Start - spans[j].End > rules.MaxGap)) break;
                var candidate = cost[j] + rules.PerRequest + rules.PerElement * length;
                if (candidate < cost[i]) (cost[i], previous[i]) = (candidate, j);
            }
        }
        return previous;
    }

    static List<PlannedRequest> Cut(List<Span> spans, int[] previous, List<List<int>> owners)
    {
        var plan = new List<PlannedRequest>();
        for (var i = spans.Count; i > 0; i = previous[i])
        {
            var from = previous[i];
            plan.Add(new(new(spans[from].Start, spans[i - 1].End - spans[from].Start), [.. owners[from..i].SelectMany(o => o)]));
        }
        plan.Reverse();
        return plan;
    }
}
