using System.Globalization;
using System.Text;
using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using Record = IotGateway.Sdk.Data.Record;

namespace IotGateway.Tests.Mqtt.Mapping;

/// <summary>Many filters: found as one by one would, without time or memory that grows with filters times topics.</summary>
public sealed class FilterIndexTests(ITestOutputHelper output)
{
    [Fact]
    public void The_first_match_is_the_one_a_look_at_each_filter_finds()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string Level(params string[] of) => of[random.Next(of.Length)];
        string Levels(string[] of, int most) => string.Join('/', Enumerable.Range(0, random.Next(1, most)).Select(_ => Level(of)));
        for (var world = 0; world < 300; world++)
        {
            var filters = Enumerable.Range(0, random.Next(1, 30)).Select(_ => Levels(["a", "b", "", "+", "$x"], 5) + Level("", "", "/#")).Append(random.Next(4) == 0 ? "#" : "a").ToArray();
            var index = new FilterIndex(filters);
            for (var i = 0; i < 100; i++)
            {
                var name = Levels(["a", "b", "", "$x"], 6);
                if (name.Length > 0) Assert.Equal(Array.FindIndex(filters, f => TopicName.Matches(name, f)), index.First(name));
            }
        }
    }

    [Fact]
    public void A_topic_of_nothing_but_slashes_needs_no_stack()
        => Assert.Equal(1, new FilterIndex(["a/#", "+/+/#"]).First(new string('/', 65_535)));

    [Fact]
    public void Ten_thousand_filters_and_topics_stay_within_a_few_megabytes()
    {
        var config = new MqttConfig { Endpoint = new Endpoints("mqtt://h"), Topic = "t", Subscriptions = [.. Enumerable.Range(0, 10_000).Select(i => new MqttSubscription { Filter = $"plant/{i}/+" })] };
        var mapper = new MessageMapper(config, new FakeContext(new DurableStore()), "client");
        List<Record> records = [];
        List<Reading> readings = [];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 10_000; i++)
        {
            var topic = string.Create(CultureInfo.InvariantCulture, $"plant/{i}/x");
            mapper.Map(new() { Topic = Encoding.UTF8.GetBytes(topic) }, default, records, readings);
            Assert.Equal(topic, Encoding.UTF8.GetString(records[0].Key!.Value.Span));
            records.Clear();
        }
        Assert.True(GC.GetTotalMemory(forceFullCollection: true) - before < 8 << 20);
        GC.KeepAlive(mapper);
    }
}
