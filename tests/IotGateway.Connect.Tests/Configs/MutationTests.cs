using System.Text;

namespace IotGateway.Connect.Tests.Configs;

public sealed class MutationTests : IDisposable
{
    const int Seeds = 2_000;

    const string Text = """
        { "connector": "bench", "endpoint": ["tcp://a:1"], "every": "250ms", "order": "DCBA", "frame": "1KiB", "rate": "10/min", "password": "${env:PW}",
          "times": [0.5, 2e1], "small": 255, "assumed": 1.5, "tls": { "ca": "/etc/ca.pem" }, "time": { "maxAhead": "1s" }, "topic": "a.${device}",
          "templates": { "press": { "tags": [ { "name": "count", "type": "uint32", "scale": 0.1, "write": { "min": 0, "max": 1, "readBack": { "tag": "count" } } } ] } },
          "devices": [ { "name": "press1", "unitId": 255, "template": "press" }, { "name": "press2", "tags": [ { "name": "t", "type": "bool", "unit": "°C" } ] } ] }
        """;

    // What slips of the hand and bad tools leave behind.
    static readonly string[] Pieces =
    [
        "", "{", "}", "[", "]", "\"", ",", ":", "null", "true", "-1", "1e999", "0.1e-400", "99999999999999999999999999999999", "\"\"", "\"${env:X}\"", "\"${file:x}\"", "\"${file:\u0000}\"", "${",
        "\\u0000", "\\ud800", "//", "/*", "\"99999999999d\"", "\"9e9\"", "[[[[", "{\"\":{}}", "\"devices\":[null],", "\"tags\":[{}],", "\"tagsFrom\":\"x.csv\",", "°", "\uFEFF", "\"a/b\"",
    ];

    readonly ConfigBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Is_valid_before_it_is_mutated()
    {
        _bench.Environment["PW"] = "x";
        Assert.Empty(_bench.ProblemsOf(Text));
    }

    [Fact]
    public void Any_mutation_gives_problems_and_never_throws()
    {
        _bench.Environment["PW"] = "x";
        var (valid, invalid) = (0, 0);
        var lines = Text.Count(c => c == '\n') + 1;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var text = Mutate(new Random(seed));
            try
            {
                var loaded = _bench.Connector("line", text).Load();
                _ = _bench.Plugins.Find("bench")!.Schema.Mask(text);
                Assert.Equal(loaded.HasErrors, loaded.Connectors.Count == 0);
                Assert.All(loaded.Problems, p => Assert.True(p.Message.Length > 0 && p.Line is >= 0 && p.Line <= lines + text.Count(c => c == '\n'), $"{p}, seed {seed}"));
                _ = loaded.HasErrors ? invalid++ : valid++;
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed} threw for this text: {text}\n{e}");
            }
        }
        // The test would show nothing if mutations never, or always, broke the text.
        Assert.True(valid > Seeds / 50 && invalid > Seeds / 2, $"{valid} valid, {invalid} invalid");
    }

    [Fact]
    public void Any_mutation_of_a_table_gives_problems_and_never_throws()
    {
        const string Table = "device;unitId;tag;type;unit;write.min\nm1;1;energy;uint32;kWh;0\nm1;;\"power; \"\"active\"\"\";float32;W;\nm2;2;energy;uint32;;-1\n";
        string[] pieces = ["\"", ";", "\n", "\r", ",", "device", "tag.", "device.", "write", "tags", "${env:X}", "", "\0", "m1", "°", "1e9"];
        _bench.Connector("line", """{ "connector": "bench", "endpoint": "tcp://h:1", "devices": [ { "tagsFrom": "meters.csv" } ] }""");
        var valid = 0;
        for (var seed = 0; seed < Seeds / 4; seed++)
        {
            var random = new Random(seed);
            var table = new StringBuilder(Table);
            for (var i = random.Next(0, 4); i > 0; i--)
            {
                var at = random.Next(table.Length);
                table.Remove(at, Math.Min(random.Next(0, 6), table.Length - at)).Insert(at, pieces[random.Next(pieces.Length)]);
            }
            try
            {
                if (!_bench.Write("meters.csv", table.ToString()).Load().HasErrors) valid++;
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed} threw for this table: {table}\n{e}");
            }
        }
        Assert.InRange(valid, Seeds / 40, Seeds / 4 - Seeds / 40);
    }

    static string Mutate(Random random)
    {
        var text = new StringBuilder(Text);
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var at = random.Next(text.Length);
            var length = Math.Min(random.Next(0, 12), text.Length - at);
            switch (random.Next(4))
            {
                case 0: text.Remove(at, length); break;
                case 1: text.Insert(at, Pieces[random.Next(Pieces.Length)]); break;
                case 2: text[at] = (char)random.Next(32, 127); break;
                default: ReplaceValue(text, random); break;
            }
        }
        return text.ToString();
    }

    // Keeps the JSON whole, so that the binder is reached.
    static void ReplaceValue(StringBuilder text, Random random)
    {
        var whole = text.ToString();
        var colons = Enumerable.Range(0, whole.Length - 1).Where(i => whole[i] == ':' && whole[i + 1] == ' ').ToList();
        if (colons.Count == 0) return;
        var from = colons[random.Next(colons.Count)] + 2;
        var to = whole.IndexOfAny([',', '}', ']'], from);
        if (to < 0) return;
        string[] values = ["null", "true", "-1", "1.5", "1e99", "\"x\"", "\"\"", "\"${env:X}\"", "[]", "{}", "[null]", "{\"a\":null}", "\"1s\"", "\"5000d\"", "18446744073709551616", "\"a/b\"", "[[]]"];
        text.Remove(from, to - from).Insert(from, values[random.Next(values.Length)]);
    }
}
