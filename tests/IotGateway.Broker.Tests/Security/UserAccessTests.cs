using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Sasl;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Security;

/// <summary>Who has authenticated is who ACLs and commands know.</summary>
public sealed class UserAccessTests
{
    [Fact]
    public async Task A_user_gets_from_an_administrator_what_it_may_and_is_known_by_its_commands()
    {
        await using var broker = await SaslBroker.StartAsync(new ListenerSasl { Mechanisms = ["PLAIN"] }, new() { Acls = new() { SuperUsers = ["User:admin"] } }, new BrokerUser("admin", "root"));
        var commands = await broker.Inner.CreateAsync("gateway.commands");
        await using var mes = await broker.Inner.ConnectAsync();
        await SaslBroker.LogInAsync(mes);
        await using var admin = await broker.Inner.ConnectAsync();
        await SaslBroker.LogInAsync(admin, "admin", "root");

        Assert.Equal((short)KafkaError.TopicAuthorizationFailed, (await mes.ProduceAsync("gateway.commands", Batches.Of("too early"))).ErrorCode);
        var creation = new CreateAclsRequest.AclCreation { ResourceType = 2, ResourceName = "gateway.", ResourcePatternType = 4, Principal = "User:mes", Host = "127.0.0.1", Operation = 4, PermissionType = 3 };
        Assert.Equal((short)KafkaError.ClusterAuthorizationFailed, (await mes.CallAsync<CreateAclsRequest, CreateAclsResponse>(new() { Creations = [creation] }, 3)).Results[0].ErrorCode);
        Assert.Equal(0, (await admin.CallAsync<CreateAclsRequest, CreateAclsResponse>(new() { Creations = [creation] }, 3)).Results[0].ErrorCode);
        Assert.Equal(0, (await mes.ProduceAsync("gateway.commands", Batches.Of("one"))).ErrorCode);
        Assert.Equal(0, (await admin.ProduceAsync("gateway.commands", Batches.Of("two"))).ErrorCode);
        Assert.Equal(["User:mes", "User:admin"], Enumerable.Range(0, 2).Select(i => commands.Partitions[0].OriginOf(i)));
    }

    [Fact]
    public async Task The_gateways_own_topics_are_nobodys_to_write()
    {
        await using var broker = await SaslBroker.StartAsync(new ListenerSasl { Mechanisms = ["PLAIN"] }, new() { Acls = new() { SuperUsers = ["User:mes"] } });
        await broker.Inner.CreateAsync("gateway.outcomes");
        await using var super = await broker.Inner.ConnectAsync();
        await SaslBroker.LogInAsync(super);
        Assert.Equal((short)KafkaError.TopicAuthorizationFailed, (await super.ProduceAsync("gateway.outcomes", Batches.Of("forged"))).ErrorCode);
        var told = await super.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = "gateway.outcomes" }], IncludeTopicAuthorizedOperations = true }, 9);
        Assert.Equal(1 << 3 | 1 << 8 | 1 << 10, told.Topics[0].TopicAuthorizedOperations); // read, describe, describe configs
    }
}
