using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Kafka.Config;
using IotGateway.Connectors.Kafka.Sink;
using IotGateway.Sdk.Config;

namespace Kafka.Tests;

/// <summary>What a configuration may say, and what becomes of it.</summary>
public sealed class KafkaConfigTests
{
    static readonly KafkaConfig Good = new() { Endpoint = new Endpoints("cloud:9093") };

    [Fact]
    public void Accepts_the_shortest_configuration() => Assert.Empty(Errors(Good));

    [Theory]
    [InlineData("cloud"), InlineData("cloud:0"), InlineData("cloud:70000"), InlineData("kafka://cloud:9092"), InlineData(":9092")]
    public void Rejects_an_endpoint_that_is_no_host_and_port(string endpoint)
        => Assert.Equal(["Endpoint"], Errors(Good with { Endpoint = new Endpoints("ok:1", endpoint) }));

    [Theory]
    [InlineData("plugin.library.paths"), InlineData("ssl.engine.location"), InlineData("ssl.providers"), InlineData("sasl.kerberos.kinit.cmd")]
    [InlineData("sasl.oauthbearer.token.endpoint.url"), InlineData("ssl.ca.location"), InlineData("debug"), InlineData("acks"), InlineData("enable.idempotence")]
    [InlineData("message.timeout.ms"), InlineData("bootstrap.servers"), InlineData("LINGER.MS"), InlineData("no.such.setting")]
    public void Rejects_client_settings_that_are_not_listed(string name)
    {
        var config = Good with { Client = new Dictionary<string, string> { ["linger.ms"] = "7", [name] = "x" } };
        Assert.Equal(["Client"], Errors(config));
        Assert.Throws<ArgumentException>(() => ClientSettings.Producer(config, "id", 1_000_000, single: false));
    }

    [Fact]
    public void Rejects_halves_of_pairs()
    {
        Assert.Equal(["Password"], Errors(Good with { Username = "u" }));
        Assert.Equal(["Username"], Errors(Good with { Password = "p" }));
        Assert.Equal(["Tls"], Errors(Good with { Tls = new TlsConfig { Key = "/k.pem" } }));
        Assert.Equal(["Tls.ServerName"], Errors(Good with { Tls = new TlsConfig { ServerName = "x" } }));
    }

    [Theory, InlineData("a b"), InlineData("${device}"), InlineData("x${topic}ü"), InlineData("${topic}${nothing}")]
    public void Rejects_a_target_that_cannot_be_a_topic_name(string target) => Assert.Equal(["Target"], Errors(Good with { Target = target }));

    [Fact]
    public void The_target_is_expanded_in_one_pass_and_checked()
    {
        Assert.Equal("gw.press.x", TargetName.Expand("${gateway}.${topic}.x", "press", "gw"));
        Assert.Null(TargetName.Expand("${topic}", new string('a', 250), "gw"));
        Assert.Null(TargetName.Expand("${topic}", "${gateway}", "gw"));
    }

    [Fact]
    public void The_producer_is_idempotent_waits_for_all_and_never_gives_up_by_itself()
    {
        var settings = ClientSettings.Producer(Good with { Tls = new(), Username = "u", Password = "p", Login = Login.ScramSha512, Client = new Dictionary<string, string> { ["linger.ms"] = "7" } }, "id", 500_000, single: false).ToDictionary(p => p.Key, p => p.Value);
        Assert.Equal("True", settings["enable.idempotence"]);
        Assert.Equal("-1", settings["acks"]);
        Assert.Equal("0", settings["message.timeout.ms"]);
        Assert.Equal("sasl_ssl", settings["security.protocol"]);
        Assert.Equal("SCRAM-SHA-512", settings["sasl.mechanism"]);
        Assert.Equal("https", settings["ssl.endpoint.identification.algorithm"]);
        Assert.Equal(("500000", "7"), (settings["batch.size"], settings["linger.ms"]));
    }

    static List<string> Errors(KafkaConfig config) => [.. config.Validate(new ValidationContext(config)).SelectMany(r => r.MemberNames)];
}
