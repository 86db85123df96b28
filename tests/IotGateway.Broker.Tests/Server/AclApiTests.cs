using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Making, telling and removing ACLs over the protocol.</summary>
public sealed class AclApiTests
{
    const sbyte Topic = 2, Literal = 3, Read = 3, Allow = 3;

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task What_was_made_is_told_and_removed_by_filter_and_survives_a_restart(short version)
    {
        var first = await StartAsync(keep: true);
        await using (first)
        {
            await using var client = await first.ConnectAsync();
            var made = await client.CallAsync<CreateAclsRequest, CreateAclsResponse>(new() { Creations = [Creation("a"), Creation("b"), Creation("a")] }, version);
            Assert.All(made.Results, r => Assert.Equal((0, null), (r.ErrorCode, r.ErrorMessage)));
        }
        await using var second = await StartAsync(first.Directory);
        await using var again = await second.ConnectAsync();
        var told = await again.CallAsync<DescribeAclsRequest, DescribeAclsResponse>(Filter(null), version);
        Assert.Equal((0, null), (told.ErrorCode, told.ErrorMessage));
        Assert.Equal(["a", "b"], told.Resources.Select(r => r.ResourceName).Order());
        Assert.Equal(("User:mes", "*", Read, Allow), told.Resources.Select(r => (r.Acls[0].Principal, r.Acls[0].Host, r.Acls[0].Operation, r.Acls[0].PermissionType)).First());
        var removed = await again.CallAsync<DeleteAclsRequest, DeleteAclsResponse>(new() { Filters = [Deletion("a"), Deletion("none"), Deletion("a")] }, version);
        Assert.Equal(["a", "", "a"], removed.FilterResults.Select(r => string.Join(',', r.MatchingAcls.Select(m => m.ResourceName))));
        Assert.All(removed.FilterResults, r => Assert.Equal((0, null), (r.ErrorCode, r.ErrorMessage)));
        Assert.Equal("b", Assert.Single((await again.CallAsync<DescribeAclsRequest, DescribeAclsResponse>(Filter(null), version)).Resources).ResourceName);
    }

    [Theory]
    [InlineData(4, "mine", 3, "User:mes", 3, 3)] // the cluster has one name
    [InlineData(2, "", 3, "User:mes", 3, 3)]
    [InlineData(1, "t", 3, "User:mes", 3, 3)]
    [InlineData(2, "t", 2, "User:mes", 3, 3)]
    [InlineData(2, "t", 1, "User:mes", 3, 3)]
    [InlineData(2, "t", 3, "mes", 3, 3)]
    [InlineData(2, "t", 3, "User:mes", 1, 3)]
    [InlineData(2, "t", 3, "User:mes", 3, 1)]
    public async Task Refuses_an_acl_that_makes_no_sense_and_makes_the_others(sbyte type, string name, sbyte pattern, string principal, sbyte operation, sbyte permission)
    {
        await using var broker = await StartAsync();
        await using var client = await broker.ConnectAsync();
        var wrong = new CreateAclsRequest.AclCreation { ResourceType = type, ResourceName = name, ResourcePatternType = pattern, Principal = principal, Host = "*", Operation = operation, PermissionType = permission };
        var made = await client.CallAsync<CreateAclsRequest, CreateAclsResponse>(new() { Creations = [Creation("a"), wrong] }, 3);
        Assert.Equal([(short)0, (short)KafkaError.InvalidRequest], made.Results.Select(r => r.ErrorCode));
        Assert.NotEmpty(made.Results[1].ErrorMessage!);
        Assert.Single((await client.CallAsync<DescribeAclsRequest, DescribeAclsResponse>(Filter(null), 3)).Resources);
    }

    [Theory, InlineData(0, 3), InlineData(2, 0)]
    public async Task Closes_the_connection_on_codes_nobody_may_write(sbyte type, sbyte operation)
    {
        await using var broker = await StartAsync();
        await using var client = await broker.ConnectAsync();
        var creation = Creation("a");
        (creation.ResourceType, creation.Operation) = (type, operation);
        await client.SendAsync(new CreateAclsRequest { Creations = [creation] }, 3);
        Assert.Null(await client.ReceiveAsync());
    }

    [Fact]
    public async Task Says_that_security_is_disabled_without_an_authorizer()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        Assert.Equal((short)KafkaError.SecurityDisabled, (await client.CallAsync<DescribeAclsRequest, DescribeAclsResponse>(Filter(null), 3)).ErrorCode);
        Assert.Equal((short)KafkaError.SecurityDisabled, (await client.CallAsync<CreateAclsRequest, CreateAclsResponse>(new() { Creations = [Creation("a")] }, 3)).Results[0].ErrorCode);
        Assert.Equal((short)KafkaError.SecurityDisabled, (await client.CallAsync<DeleteAclsRequest, DeleteAclsResponse>(new() { Filters = [Deletion("a")] }, 3)).FilterResults[0].ErrorCode);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("::ffff:10.0.0.1", "10.0.0.1")]
    [InlineData("::1", "0:0:0:0:0:0:0:1")]
    [InlineData("fe80::1a%3", "fe80:0:0:0:0:0:0:1a")]
    public void Writes_hosts_as_java_does(string address, string host) => Assert.Equal(host, HostAddress.Of(System.Net.IPAddress.Parse(address)));

    [Fact]
    public void An_acl_is_what_its_key_says()
    {
        var acl = new Acl(ResourceType.TransactionalId, "täglich", PatternType.Prefixed, "User:CN=mes,O=x", "*", AclOperation.Describe, AclPermission.Deny);
        Assert.Equal(acl, Acl.FromKey(acl.ToKey()));
    }

    static Task<TestBroker> StartAsync(string? directory = null, bool keep = false) => TestBroker.StartAsync(new() { Acls = new() { AllowEveryoneIfNoAclFound = true } }, directory, keep);

    static CreateAclsRequest.AclCreation Creation(string topic)
        => new() { ResourceType = Topic, ResourceName = topic, ResourcePatternType = Literal, Principal = "User:mes", Host = "*", Operation = Read, PermissionType = Allow };

    static DescribeAclsRequest Filter(string? topic)
        => new() { ResourceTypeFilter = 1, ResourceNameFilter = topic, PatternTypeFilter = 1, PrincipalFilter = null, HostFilter = null, Operation = 1, PermissionType = 1 };

    static DeleteAclsRequest.DeleteAclsFilter Deletion(string? topic)
        => new() { ResourceTypeFilter = Topic, ResourceNameFilter = topic, PatternTypeFilter = Literal, PrincipalFilter = null, HostFilter = null, Operation = 1, PermissionType = 1 };
}
