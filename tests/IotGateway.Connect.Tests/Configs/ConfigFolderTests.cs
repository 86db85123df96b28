using IotGateway.Connect.Configs;

namespace IotGateway.Connect.Tests.Configs;

public sealed class ConfigFolderTests : IDisposable
{
    readonly ConfigBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Reads_a_valid_folder()
    {
        var loaded = _bench.Connector("press-line", ConfigBench.Valid).Load();
        Assert.Empty(loaded.Problems);
        Assert.Equal("plant-north", loaded.Gateway.Name);
        var connector = Assert.Single(loaded.Connectors);
        Assert.Equal(("press-line", "bench", true), (connector.Name, connector.Plugin.Info.Name, connector.Common.Enabled));
        Assert.Equal(ConfigBench.Valid, connector.RawText);
    }

    [Fact]
    public void Collects_the_errors_of_all_files_at_once()
    {
        _bench.Write("gateway.json", """{ "nam": "x" }""");
        _bench.Connector("a", """{ "connector": "bench", "evry": 5 }""");
        _bench.Connector("b", """{ "connector": "bnech" }""");
        _bench.Connector("c", "{");
        var problems = _bench.Load().Problems.Select(p => p.ToString().Replace(_bench.Folder + "/", "", StringComparison.Ordinal));
        Assert.Equal(
            [
                "gateway.json:1:1: name: 'name' is missing. Name of this gateway, unique in your plants: lower case letters, digits and '-'. Commands carry it. Add \"name\": \"plant-north\".",
                "gateway.json:1:3: nam: Unknown key 'nam'. Did you mean 'name'?",
                "connectors/a.json:1:1: endpoint: 'endpoint' is missing. Where the device listens. Add \"endpoint\": \"tcp://127.0.0.1:502\".",
                "connectors/a.json:1:1: devices: 'devices' is missing. Devices polled. Add \"devices\": [{ \"name\": \"press1\", \"unitId\": 1, \"tags\": [{ \"name\": \"temperature\", \"type\": \"float32\" }] }].",
                "connectors/a.json:1:25: evry: Unknown key 'evry'. Did you mean 'every'?",
                "connectors/b.json:1:16: connector: There is no plugin 'bnech'. Did you mean 'bench'?",
                "connectors/c.json:1:2: Not valid JSON: Expected depth to be zero at the end of the JSON payload. There is an open JSON object or array that should be closed. Look here and at the line before for a missing comma, quote or bracket.",
            ],
            problems);
    }

    [Fact]
    public void Requires_a_gateway_file()
    {
        File.Delete(Path.Combine(_bench.Folder, "gateway.json"));
        var problem = Assert.Single(_bench.Load().Problems);
        Assert.Equal(("There is no gateway.json.", "Create it; the least is { \"name\": \"plant-north\" }."), (problem.Message, problem.Fix));
    }

    [Fact]
    public void Says_when_the_folder_is_not_there()
    {
        var loaded = ConfigFolder.Load(Path.Combine(_bench.Folder, "gone"), _bench.Plugins);
        Assert.StartsWith("There is no configuration folder /", Assert.Single(loaded.Problems).Message, StringComparison.Ordinal);
        Assert.Empty(loaded.Connectors);
    }

    [Fact]
    public void Reads_the_gateway_file()
    {
        _bench.Write("gateway.json", """
            { "$schema": "schema/gateway.schema.json", "name": "plant-north",
              "log": { "durability": "interval:100ms", "retention": { "time": "7d", "size": "20GiB" } },
              "broker": { "listen": "127.0.0.1:0", "listeners": [ { "name": "plant", "listen": "127.0.0.2:9093", "advertised": "gw.plant:9093" } ] },
              "rest": { "listen": "[::1]:8083" },
              "topics": [ { "match": "alarms.*", "lane": "high", "partitions": 1, "durability": "fsync", "retention": { "time": "90d" } } ],
              "commands": { "readOnly": true, "maxTtl": "30s" } }
            """);
        var loaded = _bench.Load();
        Assert.Empty(loaded.Problems);
        var gateway = loaded.Gateway;
        Assert.Equal(("interval:100ms", TimeSpan.FromDays(7), 20L << 30), (gateway.Log.Durability, gateway.Log.Retention.Time, gateway.Log.Retention.Size!.Value.Bytes));
        Assert.Equal(("alarms.*", IotGateway.Sdk.Data.Lane.High, "gw.plant:9093"), (gateway.Topics[0].Match, gateway.Topics[0].Lane, gateway.Broker.Listeners[0].Advertised));
        Assert.Equal((true, TimeSpan.FromSeconds(30), "[::1]:8083"), (gateway.Commands.ReadOnly, gateway.Commands.MaxTtl, gateway.Rest.Listen));
    }

    [Theory]
    [InlineData("\"name\": \"Plant North\"", "name: Allowed are lower case letters, digits and '-', at most 63, found the text \"Plant North\".")]
    [InlineData("\"name\": \"g\", \"rest\": { \"listen\": \"127.0.0.1\" }", "rest.listen: Must be ADDRESS:PORT, such as 127.0.0.1:9092, found the text \"127.0.0.1\".")]
    [InlineData("\"name\": \"g\", \"rest\": { \"listen\": \"127.0.0.1:65536\" }", "rest.listen: Must be ADDRESS:PORT, such as 127.0.0.1:9092, found the text \"127.0.0.1:65536\".")]
    [InlineData("\"name\": \"g\", \"log\": { \"durability\": \"often\" }", "log.durability: Must be fsync, os, or interval:TIME with whole milliseconds from 1ms to 1h, such as interval:100ms, found the text \"often\".")]
    [InlineData("\"name\": \"g\", \"log\": { \"walSize\": \"1MiB\" }", "log.walSize: Must be between 16MiB and 16GiB, found the text \"1MiB\".")]
    [InlineData("\"name\": \"g\", \"secrets\": { \"folders\": [ \"here\" ] }", "secrets.folders[0]: Must be an absolute path.")]
    public void Checks_the_gateway_file(string options, string expected)
    {
        _bench.Write("gateway.json", "{ " + options + " }");
        Assert.EndsWith(": " + expected, Assert.Single(_bench.Load().Problems).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Holds_device_names_unique_across_files()
    {
        _bench.Connector("a", ConfigBench.Valid).Connector("b", ConfigBench.Valid);
        var loaded = _bench.Load();
        var problem = Assert.Single(loaded.Problems);
        Assert.Equal((5, 15), (problem.Line, problem.Column));
        Assert.StartsWith("Device 'press1' is already one of connector 'a' (", problem.Message, StringComparison.Ordinal);
        Assert.Equal("a", Assert.Single(loaded.Connectors).Name);
    }

    [Fact]
    public void Lets_a_disabled_spare_lie_beside()
    {
        _bench.Connector("a", ConfigBench.Valid).Connector("b", ConfigBench.Valid.Replace("\"bench\",", "\"bench\", \"enabled\": false,", StringComparison.Ordinal));
        Assert.Empty(_bench.Load().Problems);
        Assert.Equal([true, false], _bench.Load().Connectors.Select(c => c.Common.Enabled));
    }

    [Theory]
    [InlineData("""[ { "name": "d" }, { "name": "d" } ]""", "devices[1].name: Device 'd' is there twice, in line 1 and in line 1. Rename one of them.")]
    [InlineData("""[ { "name": "a/b", "tags": [ { "name": "t", "type": "bool" } ] } ]""", "devices[0].tags[0]: The device name 'a/b' holds a '/'. Use '.', '-' or '_' instead.")]
    [InlineData("""[ { "name": "d", "tags": [ { "name": "t", "type": "bool" }, { "name": "t", "type": "bool" } ] } ]""", "devices[0].tags[1]: Device 'd' has two tags 't'. Rename one of them.")]
    [InlineData("""[ { "name": "d", "tags": [ { "name": "seen", "type": "bool" }, { "name": "t", "type": "bool", "write": { "readBack": { "tag": "sen" } } } ] } ]""", "warning: devices[0].tags[1]: Tag 't' of device 'd' is read back by 'sen', which is no tag of that device here. Did you mean 'seen'?")]
    public void Checks_devices_and_tags(string devices, string expected)
        => Assert.EndsWith(": " + expected, Assert.Single(_bench.ProblemsOf($$"""{ "connector": "bench", "endpoint": "tcp://h:1", "devices": {{devices}} }""")), StringComparison.Ordinal);

    [Fact]
    public void Warns_of_64_bit_numbers_until_the_file_decides()
    {
        const string Wide = """{ "connector": "bench", "endpoint": "tcp://h:1", "devices": [ { "name": "d", "tags": [ { "name": "n", "type": "int64" } ] } ]DECIDED }""";
        Assert.Contains("warning: devices[0].tags[0]: Tag 'd/n' has 64 bits", Assert.Single(_bench.ProblemsOf(Wide.Replace("DECIDED", "", StringComparison.Ordinal))), StringComparison.Ordinal);
        Assert.Empty(_bench.ProblemsOf(Wide.Replace("DECIDED", ", \"int64\": \"number\"", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("{ \"connector\": 5 }", "1:16: connector: Expected a connector's name, found the number 5. Known are: bench, drain.")]
    [InlineData("{ \"enabled\": 5 }", "1:1: connector: 'connector' is missing. Which plugin runs it. Known are: bench, drain.|1:14: enabled: Expected true or false, found the number 5.")]
    [InlineData("[]", "1:1: A connector's file is one object, found a list. Write { \"connector\": \"…\", … }.")]
    public void Checks_the_connector_name(string text, string expected) => Assert.Equal(expected.Split('|'), _bench.ProblemsOf(text));

    [Fact]
    public void Keeps_connectors_out_of_the_gateways_own_topics()
        => Assert.StartsWith("Names that begin with 'gateway.'", Assert.Single(_bench.Connector("gateway.commands", ConfigBench.Valid).Load().Problems).Message, StringComparison.Ordinal);

    [Fact]
    public void Ignores_what_editors_leave_behind()
    {
        _bench.Connector(".#line", "{").Connector("#line#", "{").Write("connectors/line.json~", "{").Write("connectors/readme.md", "x");
        Assert.Empty(_bench.Load().Problems);
    }

    [Fact]
    public void Reads_one_connector_among_the_others()
    {
        var running = _bench.Connector("a", ConfigBench.Valid).Load();
        var other = ConfigBench.Valid.Replace("press1", "press2", StringComparison.Ordinal);
        var loaded = ConfigFolder.LoadConnector(_bench.Folder, "b", _bench.Plugins, running, other);
        Assert.Empty(loaded.Problems);
        Assert.Equal(("b", other), (loaded.Config!.Name, loaded.Config.RawText));

        Assert.Null(ConfigFolder.LoadConnector(_bench.Folder, "b", _bench.Plugins, running, ConfigBench.Valid).Config);
        Assert.NotNull(ConfigFolder.LoadConnector(_bench.Folder, "a", _bench.Plugins, running).Config);
        Assert.Equal("The file does not exist.", Assert.Single(ConfigFolder.LoadConnector(_bench.Folder, "gone", _bench.Plugins, running).Problems).Message);
    }

    [Fact]
    public void Tells_added_removed_changed_and_unchanged_apart()
    {
        var one = ConfigBench.Valid;
        _bench.Connector("same", one).Connector("changed", one.Replace("press1", "press2", StringComparison.Ordinal)).Connector("gone", one.Replace("press1", "press3", StringComparison.Ordinal));
        var before = _bench.Load().Connectors;
        File.Delete(Path.Combine(_bench.Folder, "connectors", "gone.json"));
        _bench.Connector("same", "// Comments, order and white space do not count.\n" + """{ "devices": [ { "tags": [ { "unit": "°C", "type": "float32", "name": "temperature" } ], "name": "press1" } ], "endpoint": "tcp://127.0.0.1:502", "connector": "bench", "$schema": "x" }""");
        _bench.Connector("changed", one.Replace("press1", "press2", StringComparison.Ordinal).Replace("502", "503", StringComparison.Ordinal)).Connector("new", one.Replace("press1", "press4", StringComparison.Ordinal));
        var loaded = _bench.Load();
        Assert.Empty(loaded.Problems);
        var diff = ConfigDiff.Between(before, loaded.Connectors);
        Assert.Equal(("new", "gone", "changed", "same"), (Assert.Single(diff.Added).Name, Assert.Single(diff.Removed).Name, Assert.Single(diff.Changed).After.Name, Assert.Single(diff.Unchanged).Name));
        Assert.False(diff.IsEmpty);
        Assert.True(ConfigDiff.Between(before, before).IsEmpty);
    }

    [Fact]
    public void Gives_the_runtime_a_plugin_without_type_parameters()
    {
        var two = ConfigBench.Valid.Replace("} ] }", "} ] }, { \"name\": \"press2\" }", StringComparison.Ordinal);
        var connector = Assert.Single(_bench.Connector("line", two).Load().Connectors);
        Assert.Equal(["press1/temperature"], connector.Plugin.Tags(connector.Config).Select(t => t.Device + "/" + t.Name));
        var parts = connector.Plugin.Split(connector.Config, 8);
        Assert.Equal(["press1", "press2"], parts.Select(p => p.Key));
        Assert.All(parts, p => Assert.Single(Assert.IsType<BenchConfig>(p.Config).Devices));
    }

    [Fact]
    public void Reads_many_tags_without_a_cost_that_grows_with_their_number()
    {
        // Allocation is what the machine's load does not change; it was quadratic in time once because problems were counted anew.
        long PerTag(int tags)
        {
            var list = string.Join(",\n", Enumerable.Range(0, tags).Select(i => $$"""{ "name": "t{{i}}", "type": "float32" }"""));
            _bench.Connector("line", $$"""{ "connector": "bench", "endpoint": "tcp://h:1", "devices": [ { "name": "d", "tags": [ {{list}} ] } ] }""");
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Empty(_bench.Load().Problems);
            return (GC.GetAllocatedBytesForCurrentThread() - before) / tags;
        }
        PerTag(100);
        var (few, many) = (PerTag(1_000), PerTag(20_000));
        Assert.True(many < 1.5 * few && many < 4_096, $"{few} and {many} bytes per tag");
    }
}
