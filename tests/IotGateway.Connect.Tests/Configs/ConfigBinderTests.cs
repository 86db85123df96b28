using IotGateway.Connect.Configs;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Configs;

public sealed class ConfigBinderTests : IDisposable
{
    const string Head = "{ \"connector\": \"bench\", \"endpoint\": \"tcp://h:1\", \"devices\": [], ";

    readonly ConfigBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Keeps_defaults_where_nothing_is_said()
    {
        var config = _bench.Read<BenchConfig>(ConfigBench.Valid);
        Assert.Equal((TimeSpan.FromSeconds(1), ByteOrder.ABCD, (byte)7, 256), (config.Every, config.Order, config.Small, config.Frame.Bytes));
        Assert.Equal(["tcp://127.0.0.1:502"], config.Endpoint);
        var tag = Assert.Single(Assert.Single(config.Devices).Tags);
        Assert.Equal(("temperature", DataType.Float32, "°C", 1m), (tag.Name, tag.Type, tag.Unit, tag.Scale));
        Assert.Equal(Value.None, config.Assumed);
    }

    [Fact]
    public void Reads_every_kind_of_option()
    {
        var config = _bench.Read<BenchConfig>("""
            {
              // Comments and trailing commas are allowed.
              "$schema": "../schema/bench.schema.json",
              "connector": "bench", "endpoint": ["tcp://a:1", "tcp://b:2"], "every": "250ms", "order": "DCBA", "frame": "1KiB", "rate": "10/min",
              "times": [0.5, 2e1], "small": 255, "assumed": 1.5, "tls": { "ca": "/etc/ca.pem" },
              "templates": { "press": { "tags": [ { "name": "count", "type": "uint32", "scale": 0.1000000000000000000000000001,
                "write": { "min": 0, "max": 120, "rate": "1/s", "whenOffline": "wait", "readBack": { "within": "2s", "tolerance": 0.5 } }, }, ] } },
              /* as here */ "devices": [ { "name": "press1", "unitId": 255, "template": "press", "enabled": false, }, ],
            }
            """);
        Assert.Equal(["tcp://a:1", "tcp://b:2"], config.Endpoint);
        Assert.Equal((TimeSpan.FromMilliseconds(250), ByteOrder.DCBA, 1_024, new Rate(10, TimeSpan.FromMinutes(1))), (config.Every, config.Order, config.Frame.Bytes, config.Rate));
        Assert.Equal([0.5, 20], config.Times);
        Assert.Equal((255, Value.Of(1.5), "/etc/ca.pem"), (config.Small, config.Assumed, config.Tls?.Ca));
        var tag = Assert.Single(config.Templates["press"].Tags);
        Assert.Equal((DataType.UInt32, 0.1000000000000000000000000001m), (tag.Type, tag.Scale));
        Assert.Equal((0m, 120m, WhenOffline.Wait, 0.5m), (tag.Write!.Min, tag.Write.Max, tag.Write.WhenOffline, tag.Write.ReadBack!.Tolerance));
        Assert.False(Assert.Single(config.Devices).Enabled);
    }

    [Theory]
    [InlineData("true", DataType.Bool)]
    [InlineData("-5", DataType.Int64)]
    [InlineData("18446744073709551615", DataType.UInt64)]
    [InlineData("0.1", DataType.Float64)]
    [InlineData("\"a\"", DataType.String)]
    [InlineData("null", DataType.None)]
    public void Reads_any_scalar(string json, DataType type) => Assert.Equal(type, _bench.Read<BenchConfig>(Head + $"\"assumed\": {json} }}").Assumed.Type);

    [Theory]
    [InlineData("\"every\": 500", "every: Expected a duration such as \"500ms\", found the number 500. Write it with a unit: \"500ms\", \"500s\", \"500min\" or \"500h\".")]
    [InlineData("\"every\": \"500\"", "every: Expected a duration such as \"500ms\", found the text \"500\". Units are us, ms, s, min, h, d.")]
    [InlineData("\"every\": \"5ms\"", "every: Must be between 10ms and 1h, found the text \"5ms\".")]
    [InlineData("\"every\": null", "every: null is not allowed. Remove the key to get the default, or write a duration such as \"500ms\".")]
    [InlineData("\"order\": \"abcd\"", "order: The text \"abcd\" is not one of ABCD, CDAB, DCBA. Did you mean 'ABCD'?")]
    [InlineData("\"order\": \"fast\"", "order: Expected one of \"ABCD\", \"CDAB\", \"DCBA\", found the text \"fast\".")]
    [InlineData("\"order\": \"BADC\"", "order: Expected one of \"ABCD\", \"CDAB\", \"DCBA\", found the text \"BADC\".")]
    [InlineData("\"frame\": \"8B\"", "frame: Must be between 16B and 64KiB, found the text \"8B\".")]
    [InlineData("\"frame\": \"1XB\"", "frame: Expected a size such as \"64MiB\", found the text \"1XB\". Units are B, KiB, MiB, GiB, TiB, kB, MB, GB, TB.")]
    [InlineData("\"rate\": \"fast\"", "rate: Expected a rate such as \"1/s\", found the text \"fast\".")]
    [InlineData("\"small\": 256", "small: Must be between 0 and 255.")]
    [InlineData("\"small\": 1.5", "small: Expected a whole number such as 10, found the number 1.5.")]
    [InlineData("\"small\": \"5\"", "small: Expected a whole number such as 10, found the text \"5\". Remove the quotes.")]
    [InlineData("\"tls\": true", "tls: Expected an object, found true. Write { … }.")]
    [InlineData("\"tls\": { \"cacert\": \"x\" }", "tls.cacert: Unknown key 'cacert'. Known are: ca, certificate, key, serverName.")]
    [InlineData("\"times\": 5", "times: Expected a list, such as [1, 2], found the number 5. Put it into [ ].")]
    [InlineData("\"times\": [1, 0.1]", "times[1]: Must be between 0.5 and 100, found 0.1.")]
    [InlineData("\"times\": [1e999]", "times[0]: The number is too large for a float64.")]
    [InlineData("\"templates\": []", "templates: Expected an object of named entries, such as { \"name\": … }, found a list.")]
    [InlineData("\"templates\": { \"a b\": 1 }", "templates['a b']: Expected an object, found the number 1. Write { … }.")]
    [InlineData("\"assumed\": {}", "assumed: Expected a number, a text, true or false, found an object.")]
    [InlineData("\"enabled\": \"true\"", "enabled: Expected true or false, found the text \"true\". Remove the quotes.")]
    [InlineData("\"format\": \"jsn\"", "format: The text \"jsn\" is not one of json, value, raw. Did you mean 'json'?")]
    [InlineData("\"retry\": { \"initial\": \"1min\" }", "retry.initial: The first pause is longer than the longest.")]
    [InlineData("\"topic\": \"gateway.commands\"", "topic: Topics that begin with 'gateway.' are the gateway's own.")]
    [InlineData("\"topic\": \"a.${device\"", "topic: A placeholder is not closed. Add the missing '}'.")]
    [InlineData("\"unitId\": 1", "unitId: Unknown key 'unitId'. It belongs into devices[].")]
    [InlineData("\"evry\": 5", "evry: Unknown key 'evry'. Did you mean 'every'?")]
    [InlineData("\"topics\": [\"a\"]", "topics: Unknown key 'topics'. Did you mean 'topic'?")]
    public void Says_what_is_wrong_and_what_to_do(string option, string expected)
    {
        var problem = Assert.Single(_bench.ProblemsOf(Head + option + " }"));
        Assert.EndsWith(": " + expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5", "Expected an address or a list of addresses, such as \"tcp://127.0.0.1:502\", found the number 5.")]
    [InlineData("[]", "The address is empty. Write at least one address.")]
    [InlineData("\" \"", "The address is empty. Write at least one address.")]
    [InlineData("[\"a\", 5]", "Expected an address or a list of addresses, such as \"tcp://127.0.0.1:502\", found a list.")]
    public void Checks_addresses(string json, string expected)
        => Assert.EndsWith("endpoint: " + expected, Assert.Single(_bench.ProblemsOf($$"""{ "connector": "bench", "devices": [], "endpoint": {{json}} }""")), StringComparison.Ordinal);

    [Fact]
    public void Gives_line_and_column_of_each_value()
    {
        var problems = _bench.ProblemsOf("""
            {
              "connector": "bench", "endpoint": "tcp://h:1",
              // "°" is one character and two bytes.
              "devices": [
                { "name": "°", "unitId": 300, "tags": [ { "type": "float23" } ] },
                { "name": "b", "template": "gone" }
              ]
            }
            """);
        Assert.Equal(
            [
                "5:30: devices[0].unitId: Must be between 0 and 255, found 300.",
                "5:45: devices[0].tags[0].name: 'name' is missing. Name, unique in the device. Add \"name\": \"temperature\".",
                "5:55: devices[0].tags[0].type: The text \"float23\" is not one of none, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, decimal, string, bytes, time, array, structure. Did you mean 'float32'?",
                "6:32: devices[1].template: There is no template 'gone'.",
            ],
            problems);
    }

    [Fact]
    public void Asks_for_rules_across_options_also_after_other_errors()
    {
        var problems = _bench.ProblemsOf(Head + """ "every": 5, "retry": { "initial": "40s", "max": "1m" } }""");
        Assert.Equal(3, problems.Count);
        Assert.Contains(problems, p => p.Contains("retry.initial: The first pause", StringComparison.Ordinal));
    }

    [Fact]
    public void Names_both_lines_of_a_repeated_key()
    {
        var problem = Assert.Single(_bench.ProblemsOf("{ \"connector\": \"bench\", \"endpoint\": \"tcp://h:1\",\n\"devices\": [],\n\"devices\": [] }"));
        Assert.Equal("3:1: devices: Key 'devices' stands twice in this object, in line 2 and in line 3. Remove one of them.", problem);
    }

    [Fact]
    public void Refuses_nesting_deeper_than_64()
    {
        var problem = Assert.Single(_bench.ProblemsOf(new string('[', 65) + new string(']', 65)));
        Assert.StartsWith("1:65: Not valid JSON: The maximum configured depth of 64 has been exceeded.", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("// nothing but a comment")]
    [InlineData("{ \"connector\": \"bench\" ")]
    [InlineData("{ 'connector': 'bench' }")]
    [InlineData("{} {}")]
    [InlineData("{ \"description\": \"\\ud800\" }")]
    public void Reports_broken_json_once(string text) => Assert.Single(_bench.ProblemsOf(text));

    [Fact]
    public void Reports_a_file_that_is_not_utf8()
    {
        File.WriteAllBytes(Path.Combine(_bench.Folder, "connectors", "line.json"), [0x7B, 0xFF, 0x7D]);
        var problem = Assert.Single(_bench.Load().Problems);
        Assert.Equal(("The file is not UTF-8.", 0), (problem.Message, problem.Line));
    }

    [Fact]
    public void Takes_a_byte_order_mark()
    {
        File.WriteAllBytes(Path.Combine(_bench.Folder, "connectors", "line.json"), [0xEF, 0xBB, 0xBF, .. System.Text.Encoding.UTF8.GetBytes(ConfigBench.Valid)]);
        Assert.Empty(_bench.Load().Problems);
    }

    [Theory]
    [InlineData("0.12345678901234567890123456789")]
    [InlineData("1e-40")]
    [InlineData("1e40")]
    [InlineData("79228162514264337593543950336")]
    public void Refuses_decimals_that_would_be_rounded(string number)
        => Assert.Contains("more than 28 digits", Assert.Single(_bench.ProblemsOf(Head.Replace("[]", $$"""[{ "name": "d", "tags": [{ "name": "t", "type": "decimal", "scale": {{number}} }] }]""", StringComparison.Ordinal) + "}")), StringComparison.Ordinal);

    [Fact]
    public void Binds_an_option_of_the_connector_and_leaves_the_common_one_of_another_type_alone()
    {
        _bench.Connector("drain", """{ "connector": "drain", "to": "x", "format": "comma", "topic": "out.${topic}", "topics": ["plant.*"], "startFrom": "latest", "batch": { "maxRecords": 10 } }""");
        var loaded = _bench.Load();
        Assert.Empty(loaded.Problems);
        var (config, common) = (Assert.IsType<DrainConfig>(loaded.Connectors[0].Config), loaded.Connectors[0].Common);
        Assert.Equal((Separator.Comma, RecordFormat.Json), (config.Format, common.Format));
        Assert.Equal(("out.${topic}", "out.${topic}"), (config.Topic, common.Topic));
        Assert.Equal(["plant.*"], common.Topics);
        Assert.Equal((StartFrom.Latest, 10), (common.StartFrom, common.Batch.MaxRecords));
    }
}
