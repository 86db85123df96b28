namespace IotGateway.Connect.Tests.Configs;

/// <summary>ACLs in gateway.json.</summary>
public sealed class AclsConfigTests : IDisposable
{
    readonly ConfigBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("""{ "enabled": true, "superUsers": ["User:admin"] }""", null)]
    [InlineData("""{ "enabled": true, "allowEveryoneIfNoAclFound": true }""", null)]
    [InlineData("{}", null)]
    [InlineData("""{ "enabled": true }""", "Nobody could make the first ACL")]
    [InlineData("""{ "superUsers": ["admin"] }""", "A principal is written Type:name")]
    [InlineData("""{ "superUsers": ["User:"] }""", "A principal is written Type:name")]
    public void Says_what_is_wrong(string acls, string? problem)
    {
        var loaded = _bench.Write("gateway.json", $$"""{ "name": "x", "broker": { "acls": {{acls}} } }""").Load();
        if (problem is null) Assert.Empty(loaded.Problems);
        else Assert.StartsWith(problem, Assert.Single(loaded.Problems).Message, StringComparison.Ordinal);
    }
}
