using IotGateway.Connect.Configs;

namespace IotGateway.Connect.Tests.Configs;

public sealed class SecretTests : IDisposable
{
    readonly ConfigBench _bench = new();

    public void Dispose() => _bench.Dispose();

    static string With(string password, string more = "") => $$"""{ "connector": "bench", "endpoint": "tcp://h:1", "devices": [], "password": "{{password}}"{{more}} }""";

    [Fact]
    public void Expands_references_and_keeps_the_text_as_written()
    {
        _bench.Environment["USER"] = "gw";
        _bench.Write("opcua.secret", "hunter2\n");
        var text = With("${env:USER}:${file:opcua.secret}!");
        Assert.Equal("gw:hunter2!", _bench.Read<BenchConfig>(text).Password);
        Assert.Equal(text, _bench.Load().Connectors[0].RawText);
    }

    [Fact]
    public void Trims_one_newline_of_a_file_and_nothing_else()
    {
        _bench.Write("a.secret", " x \n\n").Write("b.secret", "y\r\n");
        Assert.Equal(" x \ny", _bench.Read<BenchConfig>(With("${file:a.secret}${file:b.secret}")).Password);
    }

    [Fact]
    public void Does_not_expand_what_was_expanded()
    {
        _bench.Environment["A"] = "${env:B}";
        _bench.Environment["B"] = "no";
        Assert.Equal("${env:B}", _bench.Read<BenchConfig>(With("${env:A}")).Password);
    }

    [Fact]
    public void Leaves_other_placeholders_alone()
    {
        _bench.Connector("line", With("${env:A}", ", \"topic\": \"a.${device}\""));
        _bench.Environment["A"] = "x";
        Assert.Equal("a.${device}", _bench.Load().Connectors[0].Common.Topic);
    }

    [Fact]
    public void Lets_a_variable_stand_for_a_number_or_a_bool()
    {
        (_bench.Environment["UNIT"], _bench.Environment["ON"]) = ("12", "false");
        var device = _bench.Read<BenchConfig>("""{ "connector": "bench", "endpoint": "tcp://h:1", "devices": [ { "name": "d", "unitId": "${env:UNIT}", "enabled": "${env:ON}" } ] }""").Devices[0];
        Assert.Equal((12, false), (device.UnitId, device.Enabled));
    }

    [Theory]
    [InlineData("${env:GONE}", "The environment variable 'GONE' is not set. Set it for the gateway's process, or correct the name.")]
    [InlineData("${env:}", "The environment variable '' is not set. Set it for the gateway's process, or correct the name.")]
    [InlineData("${env:A", "The reference is not closed. Add the missing '}'.")]
    [InlineData("${file:}", "The reference names no file. Write ${file:NAME}.")]
    public void Reports_what_is_missing_at_its_line(string reference, string expected)
        => Assert.Equal("1:77: password: " + expected, Assert.Single(_bench.ProblemsOf(With(reference))));

    [Fact]
    public void Reports_a_missing_file_with_its_full_path()
        => Assert.Contains("gone.secret' does not exist. Create it", Assert.Single(_bench.ProblemsOf(With("${file:gone.secret}"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("../outside")]
    [InlineData("/etc/hostname")]
    [InlineData("a/../../outside")]
    public void Reads_nothing_outside_the_allowed_folders(string path)
        => Assert.Contains("is outside the folders secrets may be read from.", Assert.Single(_bench.ProblemsOf(With("${file:" + path + "}"))), StringComparison.Ordinal);

    [Fact]
    public void Reads_from_a_folder_the_gateway_allows()
    {
        var allowed = Directory.CreateTempSubdirectory("iotgateway-secrets-");
        File.WriteAllText(Path.Combine(allowed.FullName, "pw"), "s3cret");
        _bench.Write("gateway.json", $$"""{ "name": "g", "secrets": { "folders": [ "{{allowed.FullName}}" ] } }""");
        Assert.Equal("s3cret", _bench.Read<BenchConfig>(With($"${{file:{allowed.FullName}/pw}}")).Password);
        allowed.Delete(recursive: true);
    }

    [Fact]
    public void Refuses_a_file_too_large_for_a_secret()
    {
        _bench.Write("big.secret", new string('x', 65_537));
        Assert.Contains("is larger than 64 KiB", Assert.Single(_bench.ProblemsOf(With("${file:big.secret}"))), StringComparison.Ordinal);
    }

    [Fact]
    public void Warns_of_a_secret_in_plain_text_and_goes_on()
    {
        Assert.Equal("1:77: warning: password: A secret stands here in plain text. Write \"${file:NAME.secret}\" or \"${env:NAME}\" instead.", Assert.Single(_bench.ProblemsOf(With("hunter2"))));
        Assert.False(_bench.Load().HasErrors);
        Assert.Single(_bench.Load().Connectors);
    }

    [Fact]
    public void Never_shows_what_a_reference_stands_for()
    {
        _bench.Environment["EVERY"] = "hunter2";
        var problem = Assert.Single(_bench.ProblemsOf("""{ "connector": "bench", "endpoint": "tcp://h:1", "devices": [], "every": "${env:EVERY}" }"""));
        Assert.Contains("found the text \"${env:EVERY}\"", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Never_shows_a_secret_of_the_wrong_kind()
        => Assert.DoesNotContain("1234", Assert.Single(_bench.ProblemsOf("""{ "connector": "bench", "endpoint": "tcp://h:1", "devices": [], "password": 1234 }""")), StringComparison.Ordinal);

    [Fact]
    public void Masks_secrets_misspelt_secrets_and_passwords_in_addresses()
    {
        var masked = _bench.Plugins.Find("bench")!.Schema.Mask("""
            { "$schema": "s", "connector": "bench", "endpoint": ["mqtt://gw:hunter2@h:1", "mqtt://gw:${env:PW}@h:2", "tcp://h:3"], "password": "hunter2",
              "pasword": "hunter2", "tls": { "key": "/k", "kye": { "x": ["hunter2", 5] } }, "devices": [ { "name": "°" } ] }
            """);
        Assert.DoesNotContain("hunter2", masked, StringComparison.Ordinal);
        Assert.Equal("""
            {
              "$schema": "s",
              "connector": "bench",
              "endpoint": [
                "mqtt://gw:[hidden]@h:1",
                "mqtt://gw:${env:PW}@h:2",
                "tcp://h:3"
              ],
              "password": "[hidden]",
              "pasword": "[hidden]",
              "tls": {
                "key": "/k",
                "kye": {
                  "x": [
                    "[hidden]",
                    "[hidden]"
                  ]
                }
              },
              "devices": [
                {
                  "name": "°"
                }
              ]
            }
            """, masked);
    }

    [Fact]
    public void Keeps_references_when_masking_and_hides_what_is_no_json()
    {
        var schema = _bench.Plugins.Find("bench")!.Schema;
        Assert.Contains("\"password\": \"${file:pw.secret}\"", schema.Mask("""{ "password": "${file:pw.secret}" }"""), StringComparison.Ordinal);
        Assert.Contains("\"password\": \"[hidden]\"", schema.Mask("""{ "password": "x${file:pw.secret}" }"""), StringComparison.Ordinal);
        Assert.Equal("\"[hidden]\"", schema.Mask("""{ "password": "hunter2" """));
    }

    [Fact]
    public void A_changed_secret_is_a_changed_configuration()
    {
        _bench.Environment["PW"] = "old";
        var before = _bench.Connector("line", With("${env:PW}")).Load().Connectors;
        _bench.Environment["PW"] = "new";
        Assert.Single(ConfigDiff.Between(before, _bench.Load().Connectors).Changed);
    }
}
