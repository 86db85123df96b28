using System.Globalization;
using System.Text;
using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using Record = IotGateway.Sdk.Data.Record;
using ValidationContext = System.ComponentModel.DataAnnotations.ValidationContext;

namespace IotGateway.Tests.Mqtt.Mapping;

/// <summary>JSON payloads to readings, and templates with fields of messages.</summary>
public sealed class JsonMappingTests
{
    static readonly DateTime Received = new(2026, 11, 20, 12, 0, 0, DateTimeKind.Utc);

    static readonly MqttSubscription Press = new()
    {
        Filter = "plant/+/data", Device = "${topic[1]}",
        Readings = [new() { Path = "$.values.temperature", Type = DataType.Float32, Unit = "°C" }, new() { Path = "$.values.state", Tag = "mode", Type = DataType.String }],
        Timestamp = new() { Path = "$.ts", Format = MqttTimeFormat.EpochMs },
    };

    static MqttConfig Config(params MqttSubscription[] subscriptions)
        => new() { Endpoint = new Endpoints("mqtt://127.0.0.1"), Format = MqttFormat.Json, Subscriptions = subscriptions };

    static (List<Record> Records, List<Reading> Readings) Map(MqttConfig config, string topic, string payload, MqttProperties properties = default)
    {
        var mapper = new MessageMapper(config, new FakeContext(new DurableStore()), "client");
        List<Record> records = [];
        List<Reading> readings = [];
        mapper.Map(new PublishPacket { Topic = Encoding.UTF8.GetBytes(topic), Payload = Encoding.UTF8.GetBytes(payload), Properties = properties }, Received, records, readings);
        return (records, readings);
    }

    static string Text(Reading r) => string.Create(CultureInfo.InvariantCulture, $"{r.Tag}={r.Value}@{(r.SourceTime == DateTime.MinValue ? "-" : r.SourceTime.ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture))}");

    [Fact]
    public void Several_tags_of_one_message_share_its_time()
    {
        var (records, readings) = Map(Config(Press), "plant/p1/data", """{"ts":1790000000123,"values":{"temperature":21.5,"state":"run","other":1}}""");
        Assert.Empty(records);
        Assert.Equal(["p1/temperature=21.5@14:13:20.123000", "p1/mode=run@14:13:20.123000"], readings.Select(Text));
        Assert.Equal((DataType.Float32, "°C"), (readings[0].Value.Type, readings[0].Tag.Unit));
    }

    [Fact]
    public void Elements_of_an_array_have_times_and_devices_of_their_own()
    {
        var config = Config(new MqttSubscription
        {
            Filter = "#", Readings = [new() { Path = "$.list[*].v", Device = "${element.id}", Tag = "${payload.kind}/${name}" }],
            Timestamp = new() { Path = "@.t", Format = MqttTimeFormat.EpochS },
        });
        var (records, readings) = Map(config, "x", """{"kind":"k","list":[{"id":"a","v":1,"t":1.5},{"id":"b","v":"2.5","t":"2"},{"id":"c"},{"id":"d","v":null}]}""");
        Assert.Empty(records);
        Assert.Equal(["a/k/v=1@00:00:01.500000", "b/k/v=2.5@00:00:02.000000", "d/k/v=@-"], readings.Select(Text));
        Assert.Equal((Quality.Bad, "mqtt:null"), (readings[2].Quality, readings[2].Status));
    }

    [Fact]
    public void Members_of_an_object_become_tags_by_their_names()
    {
        var config = Config(new MqttSubscription { Filter = "#", Device = "d", Type = DataType.Int32, Readings = [new() { Path = "$.metrics.*" }] });
        Assert.Equal(["d/a=1@-", "d/b=2@-"], Map(config, "x", """{"metrics":{"a":1,"b":2.0}}""").Readings.Select(Text));
    }

    [Theory]
    [InlineData("iso", "\"2026-11-20T08:00:00+02:00\"", "06:00:00.000000")]
    [InlineData("iso", "\"2026-11-20T08:00:00.123456Z\"", "08:00:00.123456")]
    [InlineData("iso", "\"2026-11-20 08:00:00\"", "08:00:00.000000")]
    [InlineData("epochUs", "1790000000123456", "14:13:20.123456")]
    [InlineData("epochMs", "1790000000123.456", "14:13:20.123456")]
    [InlineData("epochS", "\"1790000000\"", "14:13:20.000000")]
    public void Times_are_read_in_their_format(string format, string written, string expected)
    {
        var config = Config(Press with { Timestamp = new() { Path = "$.ts", Format = Enum.Parse<MqttTimeFormat>(format, ignoreCase: true) } });
        var reading = Assert.Single(Map(config, "plant/p1/data", "{\"ts\":" + written + ",\"values\":{\"temperature\":1}}").Readings);
        Assert.Equal(expected, reading.SourceTime.ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture));
        Assert.Equal(DateTimeKind.Utc, reading.SourceTime.Kind);
    }

    [Theory]
    [InlineData("nonsense", "no JSON")]
    [InlineData("", "no JSON")]
    [InlineData("""{"values":{}}""", "nothing at $.values.temperature")]
    [InlineData("""{"values":{"temperature":"hot"}}""", "no Float32")]
    [InlineData("""{"values":{"temperature":[1]}}""", "no Float32")]
    [InlineData("""{"values":{"temperature":1,"state":{}}}""", "no String")]
    [InlineData("""{"values":{"temperature":1},"ts":"soon"}""", "no time at $.ts")]
    [InlineData("""{"values":{"temperature":1},"ts":1e300}""", "no time at $.ts")]
    [InlineData("""{"values":{"temperature":1},"ts":-99999999999999}""", "no time at $.ts")]
    [InlineData("""{"values":{"state":"\ud800"}}""", "no String")]
    public void What_cannot_be_used_is_poison_as_a_whole_with_its_bytes(string payload, string why)
    {
        var (records, readings) = Map(Config(Press), "plant/p1/data", payload);
        Assert.Empty(readings);
        var record = Assert.Single(records);
        Assert.Contains(why, record.Poison, StringComparison.Ordinal);
        Assert.Equal(payload, Encoding.UTF8.GetString(record.Value!.Value.Span));
        Assert.Contains(record.Headers, h => h.Name == "mqtt.topic");
    }

    [Fact]
    public void A_flood_of_values_in_one_message_is_poison()
    {
        var config = Config(new MqttSubscription { Filter = "#", Device = "d", Readings = [new() { Path = "$[*]", Tag = "t" }] });
        Assert.Equal(10_000, Map(config, "x", "[" + string.Join(',', Enumerable.Repeat("1", 10_000)) + "]").Readings.Count);
        var (records, readings) = Map(config, "x", "[" + string.Join(',', Enumerable.Repeat("1", 10_001)) + "]");
        Assert.Empty(readings);
        Assert.Contains("more than 10000", Assert.Single(records).Poison, StringComparison.Ordinal);
    }

    [Fact]
    public void Topics_keys_and_headers_of_raw_messages_hold_fields_and_user_properties()
    {
        var config = Config(new MqttSubscription
        {
            Filter = "#", Format = MqttFormat.Raw, Topic = "plant.${payload.site.name}", Key = "${user.serial}/${payload.list[1]}",
            Headers = new Dictionary<string, string> { ["site"] = "${payload.site.name}-${topic[0]}", ["none"] = "${user.none}" },
        });
        var properties = new PropertiesBuilder().User("serial", "s1").Build();
        var record = Assert.Single(Map(config, "a/b", """{"site":{"name":"north"},"list":[1,true]}""", properties).Records);
        Assert.Equal(("plant.north", "s1/true", null), (record.Topic, Encoding.UTF8.GetString(record.Key!.Value.Span), record.Poison));
        Assert.Equal("north-a", Encoding.UTF8.GetString(record.Headers.Single(h => h.Name == "site").Value!.Value.Span));
        Assert.DoesNotContain(record.Headers, h => h.Name == "none");

        var bad = Assert.Single(Map(config, "a/b", "no json", properties).Records);
        Assert.Contains("no JSON", bad.Poison, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_payload_says_is_not_expanded_again()
    {
        var config = Config(new MqttSubscription { Filter = "#", Format = MqttFormat.Raw, Topic = "t.${payload.x}" });
        Assert.Equal("t.${gateway}", Assert.Single(Map(config, "a", """{"x":"${gateway}"}""").Records).Topic);
    }

    [Theory]
    [InlineData("values.x")]
    [InlineData("$.")]
    [InlineData("$..x")]
    [InlineData("$[x]")]
    [InlineData("$['x]")]
    [InlineData("$[-1]")]
    public void A_path_that_is_none_is_refused(string path)
        => Assert.NotEmpty(new MqttReading { Path = path }.Validate(new ValidationContext(this)));

    [Theory]
    [InlineData("$['a b'].c", """{"a b":{"c":1}}""")]
    [InlineData("$[\"a.b\"]", """{"a.b":1}""")]
    [InlineData("$[1][0]", "[0,[1]]")]
    [InlineData("$", "1")]
    public void Paths_find_their_value(string path, string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        Assert.True(JsonPath.TryParse(path, out _)!.TryFind(document.RootElement, out var value));
        Assert.Equal("1", value.GetRawText());
    }

    [Fact]
    public void Random_payloads_never_throw()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        const string alphabet = """{}[]",:0123456789.eE-+\u$@truefalsnxaäd temperaturestvalues""";
        for (var i = 0; i < 20_000; i++)
        {
            var payload = i % 2 == 0 ? """{"ts":1790000000123,"values":{"temperature":21.5,"state":"run"}}""".ToCharArray() : new char[random.Next(40)];
            for (var n = 0; n < (i % 2 == 0 ? 3 : payload.Length); n++) payload[i % 2 == 0 ? random.Next(payload.Length) : n] = alphabet[random.Next(alphabet.Length)];
            var (records, readings) = Map(Config(Press), "plant/p1/data", new string(payload));
            Assert.True(records.Count == 1 ^ readings.Count > 0, $"seed {seed}: {new string(payload)}");
        }
    }
}
