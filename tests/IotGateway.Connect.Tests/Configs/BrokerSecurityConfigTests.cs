using IotGateway.Connect.Configs;

namespace IotGateway.Connect.Tests.Configs;

/// <summary>Listening beyond this machine takes authentication, and secrets take TLS.</summary>
public sealed class BrokerSecurityConfigTests : IDisposable
{
    const string Tls = "\"tls\": { \"certificate\": \"s.pem\", \"key\": \"s.key\" }";
    const string MutualTls = "\"tls\": { \"certificate\": \"s.pem\", \"key\": \"s.key\", \"clientCertificates\": \"need\", \"clientAuthorities\": \"ca.pem\" }";
    readonly ConfigBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("\"listen\": \"127.0.0.1:9092\"")]
    [InlineData("\"listen\": \"localhost:9092\"")]
    [InlineData("\"listen\": \"[::1]:9092\", \"sasl\": { \"mechanisms\": [ \"PLAIN\" ] }")]
    [InlineData("\"listen\": \"192.168.0.1:9092\", \"insecure\": true")]
    [InlineData("\"listen\": \"192.168.0.1:9092\", \"sasl\": {}")]
    [InlineData("\"listen\": \"192.168.0.1:9092\", " + MutualTls)]
    [InlineData("\"listen\": \"*:9092\", \"advertised\": \"gw.plant:9092\", \"sasl\": {}")]
    [InlineData("\"listen\": \"192.168.0.1:9092\", " + Tls + ", \"sasl\": { \"mechanisms\": [ \"PLAIN\", \"SCRAM-SHA-512\" ], \"maxSession\": \"1h\" }")]
    [InlineData("\"sasl\": { \"mechanisms\": [ \"OAUTHBEARER\" ], \"tokens\": { \"jwks\": \"https://id/keys\", \"issuer\": \"i\", \"audience\": [ \"a\" ] } }")]
    [InlineData("\"sasl\": { \"mechanisms\": [ \"OAUTHBEARER\" ], \"tokens\": { \"jwks\": \"keys.json\", \"issuer\": \"i\", \"audience\": [ \"a\" ] } }")]
    [InlineData("\"listeners\": [ { \"name\": \"plant\", \"listen\": \"192.168.0.1:9093\", " + Tls + ", \"sasl\": {} } ]")]
    public void Is_good(string broker) => Assert.Empty(Problems(broker));

    [Theory]
    [InlineData("\"listen\": \"192.168.0.1:9092\"", "broker.listen: This address can be reached from other machines")]
    [InlineData("\"listen\": \"gw.plant:9092\"", "broker.listen: This address can be reached from other machines")]
    [InlineData("\"listen\": \"192.168.0.1:9092\", " + Tls, "broker.listen: This address can be reached from other machines")]
    [InlineData("\"listeners\": [ { \"name\": \"p\", \"listen\": \"192.168.0.1:1\" } ]", "broker.listeners[0].listen: This address can be reached from other machines")]
    [InlineData("\"listen\": \"192.168.0.1:9092\", \"sasl\": { \"mechanisms\": [ \"PLAIN\" ] }", "broker.sasl: Passwords and tokens would cross the network readable")]
    [InlineData("\"listeners\": [ { \"name\": \"p\", \"listen\": \"192.168.0.1:1\", \"sasl\": { \"mechanisms\": [ \"SCRAM-SHA-256\", \"PLAIN\" ] } } ]", "broker.listeners[0].sasl: Passwords and tokens would cross the network readable")]
    [InlineData("\"listen\": \"*:9092\", \"sasl\": {}", "broker.advertised: Listening on all addresses")]
    [InlineData("\"listen\": \"0.0.0.0:9092\", \"insecure\": true", "broker.advertised: Listening on all addresses")]
    [InlineData("\"listen\": \"[0:0:0:0:0:0:0:0]:9092\", \"sasl\": {}", "broker.advertised: Listening on all addresses")]
    [InlineData("\"listen\": \"[::ffff:0.0.0.0]:9092\", \"sasl\": {}", "broker.advertised: Listening on all addresses")]
    [InlineData("\"sasl\": { \"mechanisms\": [ \"GSSAPI\" ] }", "broker.sasl.mechanisms[0]: Must be one of")]
    [InlineData("\"sasl\": { \"mechanisms\": [] }", "broker.sasl.mechanisms: There is no mechanism")]
    [InlineData("\"tls\": { \"certificate\": \"s.pem\", \"key\": \"s.key\", \"clientCertificates\": \"want\" }", "broker.tls.clientAuthorities: Clients are to bring certificates")]
    [InlineData("\"sasl\": { \"mechanisms\": [ \"OAUTHBEARER\" ] }", "broker.sasl.tokens: OAUTHBEARER needs to know which tokens are good")]
    [InlineData("\"sasl\": { \"tokens\": { \"jwks\": \"http://id/keys\", \"issuer\": \"i\", \"audience\": [ \"a\" ] } }", "broker.sasl.tokens.jwks: Must be a file or an https address")]
    [InlineData("\"sasl\": { \"tokens\": { \"jwks\": \"file:///etc/passwd\", \"issuer\": \"i\", \"audience\": [ \"a\" ] } }", "broker.sasl.tokens.jwks: Must be a file or an https address")]
    [InlineData("\"sasl\": { \"tokens\": { \"jwks\": \"https://u:p@id/keys\", \"issuer\": \"i\", \"audience\": [ \"a\" ] } }", "broker.sasl.tokens.jwks: Must be a file or an https address")]
    [InlineData("\"sasl\": { \"tokens\": { \"jwks\": \"k.json\", \"issuer\": \"i\", \"audience\": [] } }", "broker.sasl.tokens.audience: There is no audience")]
    [InlineData("\"tls\": { \"certificate\": \"s.pem\" }", "key")]
    [InlineData("\"users\": [ { \"name\": \"a\", \"password\": \"${env:P}\" }, { \"name\": \"a\", \"password\": \"${env:P}\" } ]", "broker.users: Two users are named 'a'")]
    [InlineData("\"users\": [ { \"name\": \"a\", \"password\": \"\" } ]", "broker.users[0].password: Must not be empty")]
    public void Is_refused(string broker, string problem) => Assert.Contains(problem, Assert.Single(Problems(broker)).ToString(), StringComparison.Ordinal);

    [Fact]
    public void A_password_written_out_is_warned_of_and_never_shown()
    {
        var problem = Assert.Single(Problems("\"users\": [ { \"name\": \"a\", \"password\": \"canary-7\" } ]"));
        Assert.Equal(Severity.Warning, problem.Severity);
        Assert.DoesNotContain("canary-7", problem.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("canary-7", _bench.Load().Gateway.ToString() + string.Join(' ', _bench.Load().Gateway.Broker.Users), StringComparison.Ordinal);
    }

    IReadOnlyList<ConfigProblem> Problems(string broker)
    {
        _bench.Environment["P"] = "secret";
        _bench.Write("gateway.json", "{ \"name\": \"g\", \"broker\": { " + broker + " } }");
        return _bench.Load().Problems;
    }
}
