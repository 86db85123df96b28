using System.Text;
using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Records;

public sealed class RecordEncoderTests
{
    static readonly CommonOptions Default = new() { Connector = "fake" };

    [Fact]
    public void Writes_the_record_the_documentation_shows()
    {
        var encoded = new Encoded();
        var record = encoded.Record(new Reading(encoded.Tag(DataType.Float32, unit: "°C"), Value.Of(21.1f), default, Encoded.At));
        Assert.Equal("""{"device":"press1","tag":"temperature","type":"float32","value":21.1,"unit":"°C","quality":"good","time":"2026-11-20T08:00:00.123456Z"}""", encoded.Text(record.Value));
        Assert.Equal("press1/temperature", encoded.Text(record.Key));
        Assert.Equal("press-line", record.Topic);
        Assert.Equal(1795161600123, record.Timestamp);
        Assert.Equal(new() { ["gatewayTime"] = "2026-11-20T08:00:00.123456Z", ["connector"] = "press-line" }, encoded.Headers(record));
    }

    public static TheoryData<Value, string> Values => new()
    {
        { Value.Of(true), "true" },
        { Value.Of((sbyte)-128), "-128" },
        { Value.Of((short)-1), "-1" },
        { Value.Of((byte)255), "255" },
        { Value.Of(ushort.MaxValue), "65535" },
        { Value.Of(uint.MaxValue), "4294967295" },
        { Value.Of(long.MinValue), "-9223372036854775808" },
        { Value.Of(ulong.MaxValue), "18446744073709551615" },
        { Value.Of(0.1f), "0.1" },
        { Value.Of(16777217f), "16777216" },
        { Value.Of(float.MaxValue), "3.4028235E+38" },
        { Value.Of(float.Epsilon), "1E-45" },
        { Value.Of(-0f), "-0" },
        { Value.Of(0.1 + 0.2), "0.30000000000000004" },
        { Value.Of(double.MaxValue), "1.7976931348623157E+308" },
        { Value.Of(117.3m), "117.3" },
        { Value.Of(117.30m), "117.30" },
        { Value.Of(decimal.MinValue), "-79228162514264337593543950335" },
        { Value.Of("a\"b\\c\n\t\u0001°漢😀"), "\"a\\\"b\\\\c\\n\\t\\u0001°漢😀\"" },
        { Value.Of(""), "\"\"" },
        { Value.Of((ReadOnlyMemory<byte>)new byte[] { 0, 255, 16 }), "\"AP8Q\"" },
        { Value.Of(new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc)), "\"2000-01-01T00:00:00.000000Z\"" },
        { Value.Of((ReadOnlyMemory<Value>)new[] { Value.Of(1), Value.Of("x"), Value.Of(double.NaN) }), "[1,\"x\",null]" },
        { Value.Of([KeyValuePair.Create("a b", Value.Of(1.5)), KeyValuePair.Create("c", Value.Of((ReadOnlyMemory<Value>)Array.Empty<Value>()))]), "{\"a b\":1.5,\"c\":[]}" },
    };

    [Theory, MemberData(nameof(Values))]
    public void Writes_every_kind_of_value(Value value, string json) => Assert.Equal(json, Encoded.ValueOf(value));

    [Fact]
    public void Floats_read_back_bit_for_bit()
    {
        const int seed = 20261120;
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var f = BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
            if (float.IsFinite(f)) Assert.True(BitConverter.SingleToInt32Bits(f) == BitConverter.SingleToInt32Bits(JsonSerializer.Deserialize<float>(Encoded.ValueOf(Value.Of(f)))), $"{f:R}, seed {seed}");
            var d = BitConverter.Int64BitsToDouble(random.NextInt64());
            if (double.IsFinite(d)) Assert.True(d.Equals(JsonSerializer.Deserialize<double>(Encoded.ValueOf(Value.Of(d)))), $"{d:R}, seed {seed}");
        }
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void What_is_not_finite_is_bad(float value, string name)
    {
        var encoded = new Encoded();
        Assert.Equal($$"""{"device":"press1","tag":"temperature","type":"float32","value":null,"quality":"bad","status":"value:{{name}}","time":"2026-11-20T08:00:00.123456Z"}""",
            encoded.Json(new(encoded.Tag(DataType.Float32), Value.Of(value), default, Encoded.At)));
    }

    [Fact]
    public void A_bad_reading_has_no_value_but_a_reason()
    {
        var encoded = new Encoded();
        Assert.Equal("""{"device":"press1","tag":"temperature","type":"uint16","value":null,"unit":"°C","quality":"bad","status":"modbus:exception-2","time":"2026-11-20T08:00:00.123456Z"}""",
            encoded.Json(Reading.Bad(encoded.Tag(DataType.UInt16, unit: "°C"), "modbus:exception-2", Encoded.At)));
    }

    [Fact]
    public void An_enumeration_carries_its_label()
    {
        var encoded = new Encoded();
        Assert.Contains("""
            "value":3,"label":"Running","quality":"uncertain","status":"opcua:Uncertain"
            """.Trim(), encoded.Json(new(encoded.Tag(DataType.Int32), Value.Of(3), default, Encoded.At) { Label = "Running", Quality = Quality.Uncertain, Status = "opcua:Uncertain" }), StringComparison.Ordinal);
    }

    [Fact]
    public void Wide_integers_can_be_strings()
    {
        Assert.Equal("\"18446744073709551615\"", Encoded.ValueOf(Value.Of(ulong.MaxValue), Default with { Int64 = Int64Format.String }));
        Assert.Equal("4294967295", Encoded.ValueOf(Value.Of(uint.MaxValue), Default with { Int64 = Int64Format.String }));
    }

    [Theory]
    [InlineData(TimeFormat.EpochMs, "1795161600123")]
    [InlineData(TimeFormat.EpochUs, "1795161600123456")]
    public void Times_can_be_numbers(TimeFormat format, string time)
    {
        var encoded = new Encoded(Default with { TimeFormat = format });
        Assert.EndsWith($",\"time\":{time}}}", encoded.Json(new(encoded.Tag(DataType.Bool), Value.Of(true), default, Encoded.At)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_sources_time_is_used_within_its_bounds()
    {
        var encoded = new Encoded();
        Assert.EndsWith("\"time\":\"2026-11-19T08:00:01.123456Z\"}", encoded.Json(new(encoded.Tag(DataType.Bool), Value.Of(true), Encoded.At.AddDays(-1).AddSeconds(1), Encoded.At)), StringComparison.Ordinal);
        Assert.EndsWith("\"time\":\"2026-11-20T08:00:10.123456Z\"}", encoded.Json(new(encoded.Tag(DataType.Bool), Value.Of(true), Encoded.At.AddSeconds(10), Encoded.At)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2000)]
    [InlineData(2106)]
    public void A_clock_out_of_bounds_is_kept_beside_the_gateways_time(int year)
    {
        var encoded = new Encoded();
        var source = new DateTime(year, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var record = encoded.Record(new Reading(encoded.Tag(DataType.Bool), Value.Of(true), source, Encoded.At));
        Assert.EndsWith($"\"quality\":\"good\",\"status\":\"clock\",\"time\":\"2026-11-20T08:00:00.123456Z\",\"sourceTime\":\"{year}-01-01T00:00:00.000000Z\"}}", encoded.Text(record.Value), StringComparison.Ordinal);
        Assert.Equal(1795161600123, record.Timestamp);
    }

    [Fact]
    public void Format_value_is_the_value_alone()
    {
        var encoded = new Encoded(Default with { Format = RecordFormat.Value });
        Assert.Equal("21.1", encoded.Json(new(encoded.Tag(DataType.Float32), Value.Of(21.1f), default, Encoded.At)));
        Assert.Equal("on \"x\"", encoded.Json(new(encoded.Tag(DataType.String), Value.Of("on \"x\""), default, Encoded.At)));
        var bad = encoded.Record(Reading.Bad(encoded.Tag(DataType.Float32), "timeout", Encoded.At));
        Assert.Equal("", encoded.Text(bad.Value));
        Assert.Equal("bad", encoded.Headers(bad)["quality"]);
        Assert.Equal("timeout", encoded.Headers(bad)["status"]);
    }

    [Fact]
    public void Backfill_goes_beside_the_live_topic_and_is_no_last_value()
    {
        var encoded = new Encoded();
        var record = encoded.Record(new Reading(encoded.Tag(DataType.Bool), Value.Of(true), Encoded.At.AddYears(-1), Encoded.At) { Backfill = true });
        Assert.Equal("press-line.backfill", record.Topic);
        Assert.Equal("true", encoded.Headers(record)["backfill"]);
        Assert.EndsWith("\"time\":\"2025-11-20T08:00:00.123456Z\"}", encoded.Text(record.Value), StringComparison.Ordinal);
    }

    [Fact]
    public void Topics_are_expanded_per_tag_and_text_from_data_only_once()
    {
        var encoded = new Encoded(Default with { Topic = "${gateway}.${device}.${group}.${tag}" });
        var tag = encoded.Tag(DataType.Bool, "oven/zone 1", device: "${gateway}");
        Assert.Equal("plant-north.__gateway_.oven.oven_zone_1", tag.Topic);
        Assert.Equal("plant-north.${gateway}.oven.oven/zone 1", encoded.Headers(encoded.Record(new Reading(tag, Value.Of(true), default, Encoded.At)))["topic"]);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData(".", "no names")]
    [InlineData("..", "no names")]
    [InlineData("plant..line", "level of the name is empty")]
    [InlineData("gateway.commands", "gateway's own")]
    [InlineData("__consumer_offsets", "gateway's own")]
    public void What_is_no_topic_goes_to_the_dead_letters(string topic, string reason)
    {
        var encoded = new Encoded();
        var record = encoded.Record(new Record { Topic = topic, Key = new byte[] { 1 }, Value = new byte[] { 2 } });
        Assert.Equal("gateway.dead-letters", record.Topic);
        Assert.Contains(reason, encoded.Headers(record)["reason"], StringComparison.Ordinal);
        Assert.Equal(topic, encoded.Headers(record)["topic"]);
        Assert.Equal("\u0002", encoded.Text(record.Value));
    }

    [Fact]
    public void A_topic_may_have_249_characters_and_no_more()
    {
        var encoded = new Encoded();
        Assert.Equal(new string('x', 249), encoded.Record(new Record { Topic = new string('x', 249) }).Topic);
        Assert.Equal("gateway.dead-letters", encoded.Record(new Record { Topic = new string('x', 250) }).Topic);
    }

    [Fact]
    public void Only_so_many_topics_are_made_from_data()
    {
        var encoded = new Encoded(Default with { MaxTopics = 2 });
        Assert.Equal("a", encoded.Record(new Record { Topic = "a" }).Topic);
        Assert.Equal("b", encoded.Record(new Record { Topic = "b" }).Topic);
        var third = encoded.Record(new Record { Topic = "c" });
        Assert.Equal("gateway.dead-letters", third.Topic);
        Assert.StartsWith("maxTopics", encoded.Headers(third)["reason"], StringComparison.Ordinal);
        Assert.Equal("a", encoded.Record(new Record { Topic = "a" }).Topic);
    }

    [Fact]
    public void An_opaque_record_keeps_key_value_and_headers()
    {
        var encoded = new Encoded();
        var record = encoded.Record(new Record { Topic = "plant/line 1", Key = null, Value = Encoding.UTF8.GetBytes("{}"), Headers = [new("mqtt.qos", Encoding.UTF8.GetBytes("1")), new("none", null)] });
        Assert.Equal("plant_line_1", record.Topic);
        Assert.Equal(-1, record.Key.Length);
        Assert.Equal(new() { ["mqtt.qos"] = "1", ["none"] = null, ["gatewayTime"] = "2026-11-20T08:00:00.123456Z", ["connector"] = "press-line", ["topic"] = "plant/line 1" }, encoded.Headers(record));
    }

    [Fact]
    public void Poison_goes_to_the_dead_letters_with_its_reason()
    {
        var encoded = new Encoded();
        var record = encoded.Record(new Record { Topic = "t", Value = new byte[] { 7 }, Poison = "not JSON" });
        Assert.Equal("gateway.dead-letters", record.Topic);
        Assert.Equal("not JSON", encoded.Headers(record)["reason"]);
    }

    [Fact]
    public void What_is_too_large_for_the_log_goes_to_the_dead_letters()
    {
        var encoded = new Encoded();
        Assert.Equal("t", encoded.Record(new Record { Topic = "t", Value = new byte[1_000_000] }).Topic);
        var record = encoded.Record(new Record { Topic = "t", Value = new byte[1_000_001] });
        Assert.Equal("gateway.dead-letters", record.Topic);
        Assert.Equal("t", encoded.Headers(record)["topic"]);
        Assert.StartsWith("size", encoded.Headers(record)["reason"], StringComparison.Ordinal);
        Assert.Equal(1_000_001, record.Value.Length);
        Assert.Equal("gateway.dead-letters", encoded.Record(new Reading(encoded.Tag(DataType.String), Value.Of(new string('x', 1_100_000)), default, Encoded.At)).Topic);
    }

    [Fact]
    public void Nothing_is_allocated_per_reading()
    {
        var encoded = new Encoded();
        var tag = encoded.Tag(DataType.Float32, unit: "°C");
        var readings = Enumerable.Range(0, 1_000).Select(i => new Reading(tag, Value.Of(i * 0.1f), default, Encoded.At)).ToList();
        encoded.Encode(readings);
        encoded.Encode(readings);
        // A collection in between charges the rest of a thread's allocation area to it: the best of five rounds is the code's own.
        Assert.InRange(Enumerable.Range(0, 5).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            encoded.Encode(readings);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }), 0, 1_000);
    }
}
