using IotGateway.Host.Hosting;

namespace IotGateway.Host.Tests;

/// <summary>Which changes of gateway.json have to wait for a start.</summary>
public sealed class GatewayChangesTests
{
    [Theory]
    [InlineData("""{ "name": "a" }""", """{ "name": "b" }""", "name")]
    [InlineData("""{ "name": "a" }""", """{ "name": "a", "broker": { "listen": "127.0.0.1:9", "users": [] } }""", "broker.listen")]
    [InlineData("""{ "broker": { "listeners": [ { "name": "x" } ] } }""", """{ "broker": { "listeners": [ { "name": "y" } ] } }""", "broker.listeners")]
    [InlineData("""{ "broker": { "sasl": { "mechanisms": [] } }, "log": { "walSize": "64MiB" } }""", """{ "broker": { }, "log": { "walSize": "32MiB" } }""", "broker.sasl.mechanisms,log.walSize")]
    [InlineData("""{ "broker": { "acls": { "enabled": false } } }""", """{ "broker": { "acls": { "enabled": true } } }""", "")]
    [InlineData("""{ "broker": { "users": [ 1 ], "maxConnections": 5 }, "topics": [] }""", """{ "topics": [ { "match": "*" } ] /* as ever */ }""", "")]
    [InlineData("""{ "rest": 5 }""", """{ "rest": { } }""", "rest")]
    [InlineData("""{ "name": "a", "log": { "walSize": "1" } }""", """{ "log": { "walSize": "1", }, "name": "a" }""", "")]
    public void Only_what_a_start_alone_reads_waits_for_one(string before, string after, string keys)
        => Assert.Equal(keys, string.Join(',', GatewayChanges.ForRestart(before, after)));
}
