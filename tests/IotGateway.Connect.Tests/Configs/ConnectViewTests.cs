using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Connect.Configs.KafkaConnect;
using IotGateway.Connect.Plugins;

namespace IotGateway.Connect.Tests.Configs;

public sealed class ConnectViewTests : IDisposable
{
    static readonly Plugin Bench = Plugin.From(new BenchFactory());

    readonly ConfigBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Describes_options_in_kafkas_words()
    {
        var keys = ConnectView.Keys(Bench).ToDictionary(k => k.Name);
        Assert.Equal(("STRING", true, "HIGH", "Common"), (keys["connector.class"].Type, keys["connector.class"].Required, keys["connector.class"].Importance, keys["connector.class"].Group));
        Assert.Equal(("STRING", "1s", "MEDIUM", "bench"), (keys["every"].Type, keys["every"].DefaultValue, keys["every"].Importance, keys["every"].Group));
        Assert.Equal(("INT", "1", "Common"), (keys["tasks.max"].Type, keys["tasks.max"].DefaultValue, keys["tasks.max"].Group));
        Assert.Equal(("PASSWORD", null), (keys["password"].Type, keys["password"].DefaultValue));
        Assert.Equal(("LIST", ""), (keys["times"].Type, keys["times"].DefaultValue));
        Assert.Equal(("STRING", "30s"), (keys["retry.max"].Type, keys["retry.max"].DefaultValue));
        Assert.Equal("STRING", keys["devices"].Type);
        Assert.Equal(Enumerable.Range(1, keys.Values.Count(k => k.Group == "bench")), keys.Values.Where(k => k.Group == "bench").Select(k => k.Order));
    }

    [Fact]
    public void Writes_kafkas_field_names()
        => Assert.Equal(
            """{"name":"a","type":"INT","required":true,"default_value":null,"importance":"HIGH","documentation":"d","group":"g","width":"SHORT","display_name":"a","dependents":[],"order":1}""",
            JsonSerializer.Serialize(new ConfigKeyInfo("a", "INT", true, null, "HIGH", "d", "g", "SHORT", "a", [], 1)));

    [Fact]
    public void Turns_flat_texts_into_a_file_and_back()
    {
        var flat = new Dictionary<string, string?>
        {
            ["name"] = "line",
            ["connector.class"] = "bench",
            ["tasks.max"] = "2",
            ["endpoint"] = "tcp://a:1, tcp://b:2",
            ["every"] = "250ms",
            ["enabled"] = "false",
            ["times"] = "0.5,20",
            ["password"] = "${env:PW}",
            ["retry.max"] = "1min",
            ["devices"] = """[{"name":"press1","unitId":7}]""",
            ["assumed"] = "1.5",
        };
        _bench.Environment["PW"] = "x";
        var config = _bench.Read<BenchConfig>(FlatConfig.ToJson(Bench.Schema, flat));
        var common = _bench.Load().Connectors[0].Common;
        Assert.Equal(["tcp://a:1", "tcp://b:2"], config.Endpoint);
        Assert.Equal((7, 20, TimeSpan.FromMinutes(1), 2, false), (config.Devices[0].UnitId, config.Times[1], common.Retry.Max, common.Tasks, common.Enabled));
        flat["endpoint"] = "tcp://a:1,tcp://b:2";
        Assert.Equal(flat.OrderBy(p => p.Key, StringComparer.Ordinal), FlatConfig.FromJson(Bench.Schema, "line", FlatConfig.ToJson(Bench.Schema, flat)));
    }

    [Fact]
    public void Puts_errors_to_their_keys()
    {
        var flat = new Dictionary<string, string?>
        {
            ["name"] = "line", ["connector.class"] = "BenchConnector", ["endpoint"] = "tcp://h:1", ["tasks.max"] = "abc", ["every"] = "5", ["evry"] = "x",
            ["password"] = "hunter2", ["retry.max"] = null, ["devices"] = """[{"nam":"x"}]""",
        };
        var json = FlatConfig.ToJson(Bench.Schema, new Dictionary<string, string?>(flat) { ["connector.class"] = "bench" });
        var infos = ConnectView.Validate(Bench, "BenchConnector", flat, ConfigFolder.LoadConnector(_bench.Folder, "line", _bench.Plugins, _bench.Load(), json).Problems);
        var values = infos.Configs.ToDictionary(c => c.Value.Name, c => c.Value);
        Assert.Equal(("BenchConnector", 6), (infos.Name, infos.ErrorCount));
        Assert.Equal(["bench", "Common"], infos.Groups.Order(StringComparer.OrdinalIgnoreCase));
        Assert.Equal(["Expected a whole number such as 10, found the text \"abc\"."], values["tasks.max"].Errors);
        Assert.Single(values["every"].Errors);
        Assert.Single(values["retry.max"].Errors);
        Assert.Equal(2, values["devices"].Errors.Count);
        Assert.Equal(["Unknown key 'evry'. Did you mean 'every'?"], values["evry"].Errors);
        Assert.Null(infos.Configs.Single(c => c.Value.Name == "evry").Definition);
        Assert.Equal("[hidden]", values["password"].Value);
        Assert.Equal(["ABCD", "CDAB", "DCBA"], values["order"].RecommendedValues);
        Assert.Equal("ABCD", values["order"].Value);
    }

    [Fact]
    public void Keeps_what_fits_nowhere_so_that_validation_names_it()
    {
        var json = FlatConfig.ToJson(Bench.Schema, new Dictionary<string, string?> { ["a.b"] = "1", ["retry.x.y"] = "2", ["devices"] = "none", ["tls"] = "{" });
        using var document = JsonDocument.Parse(json);
        Assert.Equal("1", document.RootElement.GetProperty("a.b").GetString());
        Assert.Equal("2", document.RootElement.GetProperty("retry").GetProperty("x.y").GetString());
        Assert.Equal("none", document.RootElement.GetProperty("devices").GetString());
        Assert.Equal("{", document.RootElement.GetProperty("tls").GetString());
        Assert.Equal(["name"], FlatConfig.FromJson(Bench.Schema, "line", "{").Keys);
    }
}
