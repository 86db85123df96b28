using IotGateway.Connectors.Sparkplug.Plant;
using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk.Data;
using IotGateway.Tests.Sparkplug.Support;
using static IotGateway.Tests.Sparkplug.Support.PlantUnderTest;

namespace IotGateway.Tests.Sparkplug.Plant;

/// <summary>
/// Edge nodes behind a network that loses, repeats and reorders, and that deal their aliases anew at every birth. Values name their metric, so that a
/// reading under the wrong tag shows.
/// </summary>
public sealed class UnreliableEdgeTests(ITestOutputHelper output)
{
    const int MetricCount = 8;

    [Fact]
    public void No_good_reading_is_of_another_metric_and_no_loss_goes_without_a_gap()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 60; round++) Play(random, $"seed {seed}, round {round}");
    }

    static void Play(Random random, string where)
    {
        var plant = new PlantUnderTest();
        var network = new Network(plant, random);
        var edge = new Edge(random, network);
        edge.Birth();
        var asked = 0;
        for (var step = 0; step < 600; step++)
        {
            if (random.Next(40) == 0) plant.After(random.Next(1, 4));
            if (random.Next(200) == 0) edge.Birth();
            edge.Data();
            // Requests get lost like everything else.
            if (plant.Rebirths.Count <= asked) continue;
            asked = plant.Rebirths.Count;
            if (random.Next(4) != 0) edge.Birth();
        }
        network.IsPerfect = true;
        edge.Birth();
        plant.After(3);
        foreach (var reading in plant.Store.Readings.Where(r => r.Quality == Quality.Good && r.Status is null))
            Assert.True(reading.Value.AsInt64 / 1_000_000 == int.Parse(reading.Tag.Name[1..], System.Globalization.CultureInfo.InvariantCulture), $"{reading.Tag} was {reading.Value}, {where}");
        foreach (var tag in plant.Store.Readings.GroupBy(r => r.Tag))
        {
            var values = tag.Where(r => r.Quality == Quality.Good).Select(r => r.Value.AsInt64).ToArray();
            Assert.True(values.SequenceEqual(values.Order()), $"{tag.Key} went back: {string.Join(",", values)}, {where}");
        }
        var gaps = plant.Store.Gaps;
        Assert.True(network.Lost == 0 || gaps.Count > 0, where);
        Assert.All(gaps.Where(g => g.To is null), open => Assert.Contains(gaps, g => g.To is not null && g.From == open.From && g.Reason == open.Reason));
        Assert.Equal(Quality.Good, plant.Store.Readings[^1].Quality);
    }

    [Fact]
    public void A_lost_birth_that_dealt_the_aliases_anew_gives_no_good_reading_of_the_wrong_metric()
    {
        var plant = new PlantUnderTest();
        plant.Send("g/NBIRTH/e", 0, Metrics.Int("a", 0, alias: 1), Metrics.Int("b", 0, alias: 2));
        for (var i = 1; i <= 5; i++) plant.Send("g/NDATA/e", i, Metrics.Alias(1, i));
        // Its birth is lost: 1 was before.
        Assert.Empty(plant.Send("g/NDATA/e", 1, Metrics.Alias(1, 99)));
        Assert.Equal([new EdgeKey("g", "e")], plant.Rebirths);
        Assert.Empty(plant.Send("g/NDATA/e", 2, Metrics.Alias(1, 99)));
        plant.Send("g/NBIRTH/e", 0, Metrics.Int("a", 0, alias: 2), Metrics.Int("b", 0, alias: 1));
        Assert.Equal(["g.e/b=7"], Text(plant.Send("g/NDATA/e", 1, Metrics.Alias(1, 7))));
    }

    /// <summary>An edge node with one device; all of its metrics count.</summary>
    sealed class Edge(Random random, Network network)
    {
        readonly int[] _alias = [.. Enumerable.Range(0, MetricCount)];
        readonly int[] _value = [.. Enumerable.Range(0, MetricCount).Select(i => i * 1_000_000)];
        int _seq;
        ulong _clock = 1_700_000_000_000;

        public void Birth()
        {
            random.Shuffle(_alias);
            _seq = 0;
            network.Flush(); // see the README: what overtakes a birth cannot always be told apart
            Send("NBIRTH/e", certain: true, Enumerable.Range(0, MetricCount / 2).Select(i => Metrics.Int($"m{i}", ++_value[i], (ulong)_alias[i])));
            Send("DBIRTH/e/d", certain: false, Enumerable.Range(MetricCount / 2, MetricCount / 2).Select(i => Metrics.Int($"m{i}", ++_value[i], (ulong)_alias[i])));
        }

        public void Data()
        {
            var i = random.Next(MetricCount);
            Send(i < MetricCount / 2 ? "NDATA/e" : "DDATA/e/d", certain: false, [Metrics.Alias((ulong)_alias[i], ++_value[i])]);
        }

        void Send(string topic, bool certain, IEnumerable<Metric> metrics) => network.Send("g/" + topic, Metrics.Payload(_seq++ % 256, ++_clock, [.. metrics]), certain);
    }

    sealed class Network(PlantUnderTest plant, Random random)
    {
        readonly List<(string Topic, byte[] Payload)> _late = [];

        public int Lost { get; private set; }

        public bool IsPerfect { get; set; }

        public void Send(string topic, byte[] payload, bool certain)
        {
            certain |= IsPerfect;
            if (!certain && random.Next(50) == 0)
            {
                Lost++;
                return;
            }
            if (!certain && _late.Count < 5 && random.Next(10) == 0)
            {
                _late.Add((topic, payload));
                return;
            }
            plant.Send(topic, payload);
            if (IsPerfect) return;
            if (random.Next(60) == 0) plant.Send(topic, payload);
            if (_late.Count > 0 && random.Next(3) == 0) Flush();
        }

        public void Flush()
        {
            foreach (var (topic, payload) in _late) plant.Send(topic, payload);
            _late.Clear();
        }
    }
}
