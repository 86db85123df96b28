using IotGateway.Connectors.Sparkplug.Plant;
using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;
using IotGateway.Tests.Sparkplug.Support;
using static IotGateway.Tests.Sparkplug.Support.PlantUnderTest;

namespace IotGateway.Tests.Sparkplug.Plant;

/// <summary>Births, data, deaths and whatever breaks their order, without a broker.</summary>
public sealed class EdgeNodeTests
{
    readonly PlantUnderTest _plant = new();

    [Fact]
    public void A_birth_defines_metrics_and_data_follow_by_alias()
    {
        Assert.Equal(["g.e/speed=7"], Text(_plant.Send("g/NBIRTH/e", 0, Metrics.Session(4), Metrics.Int("speed", 7, alias: 1))));
        Assert.Equal(["g.e.d/Inputs/A=1"], Text(_plant.Send("g/DBIRTH/e/d", 1, Metrics.Int("Inputs/A", 1, alias: 2))));
        Assert.Equal(["g.e/speed=8"], Text(_plant.Send("g/NDATA/e", 2, Metrics.Alias(1, 8))));
        Assert.Equal(["g.e.d/Inputs/A=2"], Text(_plant.Send("g/DDATA/e/d", 3, Metrics.Alias(2, 2))));
        Assert.Equal(["g.e/speed=9"], Text(_plant.Send("g/NDATA/e", 4, new Metric { Name = "speed", IntValue = 9 })));
        Assert.Empty(_plant.Rebirths);
        Assert.Empty(_plant.Store.Gaps);
    }

    [Fact]
    public void Sequence_numbers_go_round_after_255()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        for (var i = 1; i <= 1_000; i++) Assert.Single(_plant.Send("g/NDATA/e", i % 256, Metrics.Alias(1, i)));
        Assert.Empty(_plant.Rebirths);
        Assert.Empty(_plant.Store.Gaps);
    }

    [Fact]
    public void A_missing_message_is_a_gap_after_the_timeout_and_a_rebirth_closes_it()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        _plant.Send("g/NDATA/e", 1, Metrics.Alias(1, 1));
        Assert.Empty(_plant.Send("g/NDATA/e", 4, Metrics.Alias(1, 4)));
        Assert.Empty(_plant.After(1.9));
        Assert.Empty(_plant.Rebirths);
        Assert.Equal(["g.e/n=4!sparkplug:sequence-gap"], Text(_plant.After(0.2)));
        Assert.Equal([new EdgeKey("g", "e")], _plant.Rebirths);
        var open = Assert.Single(_plant.Store.Gaps);
        Assert.Equal(("g.e", "sequence-gap", null), (open.Device, open.Reason, open.To));
        // By name it is certain; by alias it is not until the birth.
        Assert.Equal(["g.e/n=5!sparkplug:sequence-gap", "g.e/n=6"], Text(_plant.Send("g/NDATA/e", 5, Metrics.Alias(1, 5), new Metric { Name = "n", IntValue = 6 })));
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 7, alias: 1));
        var closed = _plant.Store.Gaps[^1];
        Assert.Equal(("sequence-gap", 2, _plant.Time.GetUtcNow().UtcDateTime), (closed.Reason, closed.Lost, closed.To));
        Assert.Equal(["g.e/n=8"], Text(_plant.Send("g/NDATA/e", 1, Metrics.Alias(1, 8))));
        Assert.Equal(2, _plant.Store.Gaps.Count);
    }

    [Fact]
    public void Messages_out_of_order_within_the_timeout_are_put_in_order()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        Assert.Empty(_plant.Send("g/NDATA/e", 3, Metrics.Alias(1, 3)));
        Assert.Empty(_plant.Send("g/NDATA/e", 2, Metrics.Alias(1, 2)));
        Assert.Equal(["g.e/n=1", "g.e/n=2", "g.e/n=3"], Text(_plant.Send("g/NDATA/e", 1, Metrics.Alias(1, 1))));
        Assert.Empty(_plant.After(10));
        Assert.Empty(_plant.Rebirths);
        Assert.Empty(_plant.Store.Gaps);
    }

    [Fact]
    public void Order_is_kept_across_the_round()
    {
        _plant.Send("g/NBIRTH/e", 254, Metrics.Int("n", 0, alias: 1));
        Assert.Empty(_plant.Send("g/NDATA/e", 1, Metrics.Alias(1, 3)));
        Assert.Empty(_plant.Send("g/NDATA/e", 0, Metrics.Alias(1, 2)));
        Assert.Equal(["g.e/n=1", "g.e/n=2", "g.e/n=3"], Text(_plant.Send("g/NDATA/e", 255, Metrics.Alias(1, 1))));
    }

    [Fact]
    public void Every_order_of_a_burst_gives_the_same_readings()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            var plant = new PlantUnderTest();
            var first = random.Next(256);
            plant.Send("g/NBIRTH/e", first, Metrics.Int("n", -1, alias: 1));
            var burst = Enumerable.Range(0, random.Next(1, 60)).ToArray();
            random.Shuffle(burst);
            var seen = burst.SelectMany(i => plant.Send("g/NDATA/e", (first + 1 + i) % 256, Metrics.Alias(1, i))).Select(r => (int)r.Value.AsInt64).ToArray();
            Assert.True(seen.SequenceEqual(Enumerable.Range(0, burst.Length)), $"{string.Join(",", burst)} gave {string.Join(",", seen)}, seed {seed}");
            Assert.Empty(plant.Store.Gaps);
        }
    }

    [Fact]
    public void A_message_that_comes_twice_or_late_is_not_taken_again()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        _plant.Send("g/NDATA/e", 1, Metrics.Alias(1, 1));
        Assert.Empty(_plant.Send("g/NDATA/e", 1, Metrics.Alias(1, 1)));
        Assert.Single(_plant.Rebirths);
    }

    [Fact]
    public void Far_ahead_is_a_gap_at_once()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        Assert.Equal(["g.e/n=9!sparkplug:sequence-gap"], Text(_plant.Send("g/NDATA/e", 100, Metrics.Alias(1, 9))));
        Assert.Single(_plant.Rebirths);
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        Assert.Equal(99, _plant.Store.Gaps[^1].Lost);
    }

    [Fact]
    public void Data_before_a_birth_ask_for_one()
    {
        Assert.Empty(_plant.Send("g/NDATA/e", 17, Metrics.Alias(1, 1)));
        Assert.Empty(_plant.Send("g/DDATA/e/d", 18, Metrics.Alias(1, 1)));
        Assert.Single(_plant.Rebirths);
        Assert.Equal(["no-birth"], _plant.Store.Gaps.Select(g => g.Reason));
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        Assert.Equal(("no-birth", 2), (_plant.Store.Gaps[^1].Reason, _plant.Store.Gaps[^1].Lost));
    }

    [Fact]
    public void An_unknown_alias_and_an_unborn_device_ask_for_a_birth()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        Assert.Equal(["g.e/n=1"], Text(_plant.Send("g/NDATA/e", 1, Metrics.Alias(9, 5), Metrics.Alias(1, 1))));
        Assert.Single(_plant.Rebirths);
        Assert.Equal("unknown-metric", Assert.Single(_plant.Store.Gaps).Reason);
        _plant.After(6);
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        _plant.After(60);
        Assert.Empty(_plant.Send("g/DDATA/e/d", 1, Metrics.Alias(2, 1)));
        Assert.Equal(2 + 1, _plant.Rebirths.Count);
        Assert.Equal("no-birth", _plant.Store.Gaps[^1].Reason);
    }

    [Fact]
    public void Rebirth_requests_back_off_until_the_birth_comes()
    {
        _plant.Send("g/NDATA/e", 1, Metrics.Alias(1, 1));
        for (var second = 0; second < 200; second++)
        {
            _plant.After(1);
            _plant.Send("g/NDATA/e", second % 256, Metrics.Alias(1, 1));
        }
        // At 0, 5, 15, 35, 75, 115, 155 and 195 s: 5 s doubling to 40.
        Assert.Equal(8, _plant.Rebirths.Count);
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        _plant.Send("g/NDATA/e", 9, Metrics.Alias(7, 1));
        _plant.After(3);
        Assert.Equal(8, _plant.Rebirths.Count); // broken again right after its birth: no reason to ask faster
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        _plant.After(100);
        _plant.Send("g/NDATA/e", 1, Metrics.Alias(7, 1));
        Assert.Equal(9, _plant.Rebirths.Count); // well for long: at once
    }

    [Fact]
    public void A_fleet_is_not_asked_all_at_once()
    {
        var plant = new PlantUnderTest(maxEdges: 1_000);
        for (var i = 0; i < 200; i++) plant.Send($"g/NDATA/e{i}", 1, Metrics.Alias(1, 1));
        Assert.Equal(50, plant.Rebirths.Count);
        for (var i = 0; i < 3; i++) plant.After(1);
        Assert.Equal(200, plant.Rebirths.Distinct().Count());
    }

    [Fact]
    public void A_death_makes_all_of_the_edge_node_stale_and_only_that_of_its_own_session()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Session(4), Metrics.Int("n", 0, alias: 1));
        _plant.Send("g/DBIRTH/e/d", 1, Metrics.Int("a", 1, alias: 2), Metrics.Int("b", 1, alias: 3));
        _plant.Send("g/DBIRTH/e/x", 2, Metrics.Int("c", 1, alias: 4));
        Assert.Equal(["g.e.x/c=!sparkplug:ddeath"], Text(_plant.Send("g/DDEATH/e/x", 3)));
        Assert.Empty(_plant.Send("g/NDEATH/e", null, Metrics.Session(3)));
        Assert.Equal(["g.e/n=1"], Text(_plant.Send("g/NDATA/e", 4, Metrics.Alias(1, 1))));
        Assert.Equal(["g.e/n=!sparkplug:ndeath", "g.e.d/a=!sparkplug:ndeath", "g.e.d/b=!sparkplug:ndeath"], Text(_plant.Send("g/NDEATH/e", null, Metrics.Session(4))));
        Assert.Empty(_plant.Send("g/NDEATH/e", null, Metrics.Session(4)));
        Assert.Empty(_plant.Send("g/NDATA/e", 5, Metrics.Alias(1, 2)));
        Assert.Single(_plant.Rebirths);
        Assert.Equal(["g.e/n=3"], Text(_plant.Send("g/NBIRTH/e", 0, Metrics.Session(5), Metrics.Int("n", 3, alias: 1))));
        Assert.Equal((1, 0), _plant.Model.Count());
    }

    [Fact]
    public void A_device_that_does_not_follow_its_edge_nodes_birth_is_stale()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        _plant.Send("g/DBIRTH/e/d", 1, Metrics.Int("a", 1));
        _plant.Send("g/DBIRTH/e/x", 2, Metrics.Int("b", 1));
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        _plant.Send("g/DBIRTH/e/d", 1, Metrics.Int("a", 1));
        Assert.Empty(_plant.After(29));
        Assert.Equal(["g.e.x/b=!sparkplug:no-birth"], Text(_plant.After(2)));
        Assert.Empty(_plant.After(60));
    }

    [Fact]
    public void A_metric_that_a_new_birth_lacks_is_bad()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("a", 0), Metrics.Int("b", 0));
        Assert.Equal(["g.e/a=1", "g.e/b=!sparkplug:not-in-birth"], Text(_plant.Send("g/NBIRTH/e", 0, Metrics.Int("a", 1))));
    }

    [Fact]
    public void An_alias_may_mean_another_metric_after_a_birth()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("a", 0, alias: 1), Metrics.Int("b", 0, alias: 2));
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("a", 0, alias: 2), Metrics.Int("b", 0, alias: 1));
        Assert.Equal(["g.e/b=5"], Text(_plant.Send("g/NDATA/e", 1, Metrics.Alias(1, 5))));
    }

    [Fact]
    public void A_rebirth_does_not_write_again_what_the_source_only_says_again()
    {
        var a = Metrics.Int("a", 1);
        a.Timestamp = 1_700_000_000_000;
        Assert.Equal(["g.e/a=1", "g.e/b=1"], Text(_plant.Send("g/NBIRTH/e", 0, a, Metrics.Int("b", 1))));
        Assert.Equal(["g.e/b=1"], Text(_plant.Send("g/NBIRTH/e", 0, a, Metrics.Int("b", 1)))); // b has no time of its own: it may be new
    }

    [Fact]
    public void What_is_no_data_of_the_plant_is_no_reading()
    {
        var definition = Metrics.Of("_types_/motor", MetricType.Template, m => m.TemplateValue = new Template { IsDefinition = true });
        Assert.Equal(["g.e/a=1"], Text(_plant.Send("g/NBIRTH/e", 0, Metrics.Session(1), definition, Metrics.Of("Node Control/Rebirth", MetricType.Boolean, m => m.BooleanValue = false), Metrics.Int("a", 1))));
        Assert.Empty(_plant.Store.Records);
    }

    [Fact]
    public void Early_messages_that_were_sent_after_the_birth_follow_it()
    {
        _plant.Send("g/NBIRTH/e", Metrics.Payload(0, 1_000, Metrics.Int("n", 0, alias: 1)));
        Assert.Empty(_plant.Send("g/NDATA/e", Metrics.Payload(2, 3_000, Metrics.Alias(1, 2))));
        Assert.Equal(["g.e/n=0"], Text(_plant.Send("g/NBIRTH/e", Metrics.Payload(0, 2_000, Metrics.Int("n", 0, alias: 1)))));
        Assert.Equal(["g.e/n=1", "g.e/n=2"], Text(_plant.Send("g/NDATA/e", Metrics.Payload(1, 2_500, Metrics.Alias(1, 1)))));
        Assert.Empty(_plant.Store.Gaps);
    }

    [Fact]
    public void Dropped_messages_are_a_gap_of_their_edge_node_alone()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        _plant.Send("g/NBIRTH/f", 0, Metrics.Int("n", 0, alias: 1));
        _plant.Overflow("g", "e", 12);
        Assert.Equal([new EdgeKey("g", "e")], _plant.Rebirths);
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 1, alias: 1));
        Assert.Equal(("overflow", 12), (_plant.Store.Gaps[^1].Reason, _plant.Store.Gaps[^1].Lost));
    }

    [Fact]
    public void Numbers_that_are_missing_because_messages_were_dropped_are_not_counted_again()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        Assert.Empty(_plant.Send("g/NDATA/e", 3, Metrics.Alias(1, 3))); // two are missing: that is no drop
        Assert.Equal(["g.e/n=3!sparkplug:sequence-gap"], Text(_plant.Overflow("g", "e", 300)));
        Assert.Equal(["g.e/n=4!sparkplug:sequence-gap"], Text(_plant.Send("g/NDATA/e", 14, Metrics.Alias(1, 4))));
        Assert.Equal(["g.e/n=5!sparkplug:sequence-gap"], Text(_plant.Send("g/NDATA/e", 200, Metrics.Alias(1, 5)))); // 186 ahead or 70 late: it does not matter
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 1, alias: 1));
        Assert.Equal(302, _plant.Store.Gaps[^1].Lost);
        _plant.Send("g/NDATA/e", 100, Metrics.Alias(1, 6));
        Assert.Null(_plant.Store.Gaps[^1].To); // numbers count again
    }

    [Fact]
    public void A_later_run_asks_the_edge_nodes_it_knows_and_closes_the_gap_the_earlier_left_open()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        _plant.Send("g/NBIRTH/f", 0, Metrics.Int("n", 0, alias: 1));
        _plant.Send("g/NDATA/e", 200, Metrics.Alias(1, 1));
        var next = new PlantUnderTest(_plant.Store, grace: TimeSpan.FromSeconds(5));
        next.After(1);
        next.Send("g/NBIRTH/f", 0, Metrics.Int("n", 1, alias: 1));
        Assert.Empty(next.Rebirths);
        next.After(5);
        Assert.Equal([new EdgeKey("g", "e")], next.Rebirths);
        next.Send("g/NBIRTH/e", 0, Metrics.Int("n", 1, alias: 1));
        Assert.Equal(("sequence-gap", true), (next.Store.Gaps[^1].Reason, next.Store.Gaps[^1].To is not null));
        Assert.Equal(2, next.Store.Gaps.Count);
    }

    [Fact]
    public void What_an_earlier_run_knew_and_does_not_come_back_is_reported_stale()
    {
        _plant.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        _plant.Send("g/DBIRTH/e/d", 1, Metrics.Int("a", 1));
        _plant.Send("g/DBIRTH/e/x", 2, Metrics.Int("b", 1));
        var next = new PlantUnderTest(_plant.Store);
        next.After(29);
        Assert.Empty(next.Context.Reports);
        next.After(2);
        Assert.Equal(["g.e", "g.e.d", "g.e.x"], next.Context.Reports.Where(r => r.State == PartState.Stale).Select(r => r.Device).Order(StringComparer.Ordinal));
        next.Send("g/NBIRTH/e", 0, Metrics.Int("n", 0, alias: 1));
        next.Send("g/DBIRTH/e/d", 1, Metrics.Int("a", 1));
        Assert.Equal(["g.e", "g.e.d"], next.Context.Reports.Where(r => r.State == PartState.Ok).Select(r => r.Device));
        next.After(31); // x is given up: a third run does not wait for it
        var third = new PlantUnderTest(_plant.Store);
        third.After(31);
        Assert.Equal(["g.e", "g.e.d"], third.Context.Reports.Select(r => r.Device).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Names_that_would_be_the_same_are_refused_the_second_time()
    {
        Assert.Single(_plant.Send("a.b/NBIRTH/c", 0, Metrics.Int("n", 1)));
        Assert.Empty(_plant.Send("a/NBIRTH/b.c", 0, Metrics.Int("n", 1)));
        Assert.Empty(_plant.Send("a/NDATA/b.c", 1, Metrics.Int("n", 1)));
        var dead = Assert.Single(_plant.Store.Records);
        Assert.Contains("'a.b.c'", dead.Poison, StringComparison.Ordinal);
        Assert.Empty(_plant.Rebirths);
    }

    [Fact]
    public void There_is_an_end_to_edge_nodes()
    {
        for (var i = 0; i < 12; i++) _plant.Send($"g/NBIRTH/e{i}", 0, Metrics.Int("n", 1));
        Assert.Equal(10, _plant.Store.Readings.Count);
        Assert.All(_plant.Store.Records, r => Assert.Contains("maxEdges", r.Poison, StringComparison.Ordinal));
        Assert.Equal(2, _plant.Store.Records.Count);
    }

    [Theory]
    [InlineData("g/NBIRTH/e", "0a", "no Sparkplug B payload")]
    [InlineData("g/NBIRTH/e", "18ac02", "above 255")]
    [InlineData("g/NBIRTH/e", "0801", "no sequence number")]
    [InlineData("g/NBIRTH", "1800", "topic")]
    [InlineData("g/NBIRTH/e/d", "1800", "topic")]
    [InlineData("g/DDATA/e", "1800", "topic")]
    [InlineData("g/XDATA/e", "1800", "topic")]
    [InlineData("g//e", "1800", "topic")]
    public void What_cannot_be_read_goes_to_the_dead_letters(string topic, string payload, string reason)
    {
        var bytes = Convert.FromHexString(payload);
        Assert.Empty(_plant.Send(topic, bytes));
        var dead = Assert.Single(_plant.Store.Records);
        Assert.Contains(reason, dead.Poison, StringComparison.Ordinal);
        Assert.Equal(bytes, dead.Value!.Value.ToArray());
        Assert.Equal("spBv1.0/" + topic, System.Text.Encoding.UTF8.GetString(dead.Key!.Value.Span));
    }
}
