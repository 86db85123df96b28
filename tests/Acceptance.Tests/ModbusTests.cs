using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Acceptance.Tests;

/// <summary>A real pymodbus server: values right to the bit, a write confirmed by read-back, and life after the server's death.</summary>
public sealed class ModbusTests : IAsyncLifetime
{
    const int Tags = 200;
    static readonly string[] Types = ["bool", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"];
    readonly GatewayUnderTest _gateway = new();
    readonly int _port = Ports.Free();
    readonly List<JsonObject> _tags = [];
    Tool? _server;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists("/usr/lib/python3/dist-packages/pymodbus/__init__.py")) Assert.Skip("python3-pymodbus is not installed.");
        MakeTags(new Random(Machine.Seed));
        await File.WriteAllTextAsync(Path.Combine(_gateway.Root, "tags.json"), new JsonArray([.. _tags.Select(t => t.DeepClone())]).ToJsonString());
        await ServeAsync();
        _gateway.Connector("line", Connector());
        await _gateway.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        await _gateway.DisposeAsync();
    }

    [Fact]
    public async Task Values_are_right_to_the_bit_a_write_is_confirmed_and_polling_resumes_after_the_servers_death()
    {
        var readings = await ReadingsAsync(all => all.Select(r => (string)r["tag"]!).Distinct().Count() == Tags, 30, "every tag was read");
        foreach (var tag in _tags)
        {
            var reading = readings.Last(r => (string?)r["tag"] == Name(tag));
            Assert.Equal("good", (string?)reading["quality"]);
            Assert.True(Same((string)tag["type"]!, (string)tag["value"]!, reading["value"]!), $"{Name(tag)} ({tag["type"]}, {tag["order"]}): {reading["value"]} instead of {tag["value"]}, seed {Machine.Seed}");
        }

        var target = _tags.First(t => (string?)t["type"] == "uint16");
        var written = ((int.Parse((string)target["value"]!, CultureInfo.InvariantCulture) + 7) % 60000).ToString(CultureInfo.InvariantCulture);
        var outcome = JsonNode.Parse(await _gateway.CliAsync("command", "line", "plc", Name(target), written, "--json"))!;
        Assert.Equal("confirmed", (string?)outcome["status"]);
        await ReadingsAsync(all => all.Any(r => (string?)r["tag"] == Name(target) && r["value"]?.ToJsonString() == written), 10, "the written value was read");

        await _server!.DisposeAsync();
        await ReadingsAsync(all => all.Any(r => (string?)r["quality"] == "bad"), 15, "a bad reading marks the gap");
        var before = (await AllAsync()).Count(r => (string?)r["quality"] == "good");
        await ServeAsync();
        var back = Stopwatch.StartNew();
        await ReadingsAsync(all => all.Count(r => (string?)r["quality"] == "good") > before, 5, "polling resumed within 5 s");
        TestContext.Current.TestOutputHelper!.WriteLine($"{Tags} tags, polling resumed {back.Elapsed.TotalSeconds:F1} s after the server's return, seed {Machine.Seed}");
        var gaps = await Tool.RunAsync("kcat", ["-b", _gateway.Broker, "-C", "-t", "gateway.gaps", "-o", "beginning", "-e", "-X", "fetch.wait.max.ms=10", "-q"]);
        Assert.Contains("\"device\":\"plc\"", gaps, StringComparison.Ordinal);
        await _gateway.StopAsync();
    }

    async Task ServeAsync()
    {
        _server = Tool.Start("/usr/bin/python3", [Path.Combine(Machine.Root, "tests/peers/pymodbus/server.py"), "--port", $"{_port}", "--tags", Path.Combine(_gateway.Root, "tags.json")]);
        await _server.SawAsync("ready");
    }

    void MakeTags(Random random)
    {
        var address = 0;
        for (var i = 0; i < Tags; i++)
        {
            var type = Types[i % Types.Length];
            var bytes = new byte[8];
            random.NextBytes(bytes);
            var (registers, orders, value) = type switch
            {
                "bool" => (1, (string[])["AB"], random.Next(2) == 1 ? "true" : "false"),
                "int16" => (1, ["AB", "BA"], BitConverter.ToInt16(bytes).ToString(CultureInfo.InvariantCulture)),
                "uint16" => (1, ["AB"], BitConverter.ToUInt16(bytes).ToString(CultureInfo.InvariantCulture)),
                "int32" => (2, ["ABCD", "CDAB", "BADC", "DCBA"], BitConverter.ToInt32(bytes).ToString(CultureInfo.InvariantCulture)),
                "uint32" => (2, ["ABCD", "CDAB", "BADC", "DCBA"], BitConverter.ToUInt32(bytes).ToString(CultureInfo.InvariantCulture)),
                "float32" => (2, ["ABCD", "CDAB", "BADC", "DCBA"], ((float)(random.NextDouble() * 1e6 - 5e5)).ToString("R", CultureInfo.InvariantCulture)),
                "int64" => (4, ["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"], BitConverter.ToInt64(bytes).ToString(CultureInfo.InvariantCulture)),
                "uint64" => (4, ["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"], BitConverter.ToUInt64(bytes).ToString(CultureInfo.InvariantCulture)),
                _ => (4, ["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"], (random.NextDouble() * 1e12).ToString("R", CultureInfo.InvariantCulture)),
            };
            _tags.Add(new JsonObject { ["unit"] = 1, ["area"] = type == "bool" ? "coil" : "holding", ["address"] = address, ["type"] = type, ["order"] = orders[random.Next(orders.Length)], ["value"] = value });
            address += registers + (i % 7 == 0 ? 3 : 0);
        }
    }

    JsonObject Connector() => new()
    {
        ["connector"] = "modbus",
        ["endpoint"] = $"tcp://127.0.0.1:{_port}",
        ["every"] = "500ms",
        ["devices"] = new JsonArray(new JsonObject { ["name"] = "plc", ["unitId"] = 1, ["tags"] = new JsonArray([.. _tags.Select(Tag)]) }),
    };

    static JsonObject Tag(JsonObject tag)
    {
        var config = new JsonObject { ["name"] = Name(tag), ["address"] = $"{tag["area"]}:{tag["address"]}" };
        if ((string?)tag["type"] == "bool") return config;
        config["type"] = (string?)tag["type"];
        config["order"] = (string?)tag["order"];
        if ((string?)tag["type"] == "uint16") config["write"] = new JsonObject { ["min"] = 0, ["max"] = 65535, ["readBack"] = new JsonObject { ["within"] = "3s" } };
        return config;
    }

    static string Name(JsonObject tag) => $"t{tag["address"]}";

    static bool Same(string type, string expected, JsonNode actual) => type switch
    {
        "float32" => BitConverter.SingleToInt32Bits(float.Parse(expected, CultureInfo.InvariantCulture)) == BitConverter.SingleToInt32Bits(float.Parse(actual.ToJsonString(), CultureInfo.InvariantCulture)),
        "float64" => BitConverter.DoubleToInt64Bits(double.Parse(expected, CultureInfo.InvariantCulture)) == BitConverter.DoubleToInt64Bits(double.Parse(actual.ToJsonString(), CultureInfo.InvariantCulture)),
        _ => expected == actual.ToJsonString(),
    };

    async Task<List<JsonObject>> AllAsync()
    {
        var output = await Tool.RunAsync("kcat", ["-b", _gateway.Broker, "-C", "-t", "line", "-o", "beginning", "-e", "-X", "fetch.wait.max.ms=10", "-q"], 30, anyExit: true);
        return [.. output.Split('\n').Where(l => l.StartsWith('{')).Select(l => JsonNode.Parse(l)!.AsObject())];
    }

    async Task<List<JsonObject>> ReadingsAsync(Func<List<JsonObject>, bool> enough, int seconds, string what)
    {
        List<JsonObject> all = [];
        await Eventually.TrueAsync(() => enough(all = AllAsync().GetAwaiter().GetResult()), seconds, () => $"not: {what}; {all.Count} readings.\n{_gateway.Log}");
        return all;
    }
}
