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
}
