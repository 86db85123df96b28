using System.Runtime.CompilerServices;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>ACLs made, told and deleted by a super user.</summary>
public sealed class AclDialogueTests(AclDialogueTests.Authorizing kafka) : IClassFixture<AclDialogueTests.Authorizing>
{
    // ResourceType: topic 2, group 3, cluster 4, transactional id 5. PatternType: any 1, match 2, literal 3, prefixed 4. Operation: any 1, all 2, read 3, write 4, alter 7, describe 8, idempotent write 12. Permission: any 1, deny 2, allow 3.
    const sbyte Any = 1, Match = 2, Literal = 3, Prefixed = 4;

    /// <summary>A Kafka that asks its authorizer; whoever comes without a login is a super user.</summary>
    public sealed class Authorizing : KafkaNode
    {
        protected override IReadOnlyList<string> Settings => ["authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:ANONYMOUS"];
    }

    [Fact]
    public async Task Acls_are_made_told_and_deleted_alike()
    {
        await using var broker = await TestBroker.StartAsync(new() { Acls = new() { SuperUsers = ["User:ANONYMOUS"] } });
        await using var d = Dialogue.Between(broker, kafka);
        for (short v = 1; v <= 3; v++)
        {
            await MakeAsync(v, 2, "readings", Literal, "User:a", "*", 3, 3);
            await MakeAsync(v, 2, "readings", Literal, "User:a", "*", 3, 3);                 // the same again
            await MakeAsync(v, 2, "readings.", Prefixed, "User:b", "10.0.0.1", 8, 2);
            await MakeAsync(v, 2, "*", Literal, "User:*", "*", 2, 3);
            await MakeAsync(v, 3, "g", Literal, "User:a", "*", 3, 3);
            await MakeAsync(v, 4, "kafka-cluster", Literal, "User:a", "*", 12, 3);
            await MakeAsync(v, 4, "cluster", Literal, "User:a", "*", 12, 3);                 // no such cluster
            await MakeAsync(v, 5, "tx", Prefixed, "User:a", "*", 4, 3);
            await MakeAsync(v, 2, "", Literal, "User:a", "*", 3, 3);
            // To words of filters, such as ANY, Kafka answers an internal error; ours is INVALID_REQUEST.
            await MakeAsync(v, 99, "t", Literal, "User:a", "*", 3, 3);
            await MakeAsync(v, 2, "t", Literal, "User:a", "*", 99, 3);
            await MakeAsync(v, 2, "t", 99, "User:a", "*", 3, 3);
            await MakeAsync(v, 2, "t", Literal, "User:a", "*", 3, 99);
            await MakeAsync(v, 0, "t", Literal, "User:a", "*", 3, 3);
            await MakeAsync(v, 2, "t", 0, "User:a", "*", 3, 3);
            await MakeAsync(v, 2, "t", Literal, "User:a", "*", 0, 3);
            await MakeAsync(v, 2, "t", Literal, "User:a", "*", 3, 0);
            await MakeAsync(v, 2, "t", Literal, "somebody", "*", 3, 3);
            await MakeAsync(v, 2, "t", Literal, "", "*", 3, 3);
            await MakeAsync(v, 2, "t", Literal, "User:a", "", 3, 3);
            await MakeAsync(v, 2, "white space", Literal, "User:a", "*", 3, 3);
            await SettleAsync("white space", 1);
            await TellAsync(v, Any, null, Any, null, null, Any, Any);
            await TellAsync(v, 2, "readings.x", Match, null, null, Any, Any);
            await TellAsync(v, 2, "readings", Literal, null, null, Any, Any);
            await TellAsync(v, 2, null, Prefixed, null, null, Any, Any);
            await TellAsync(v, 2, null, Any, "User:a", null, Any, Any);
            await TellAsync(v, Any, null, Any, null, "10.0.0.1", Any, Any);
            await TellAsync(v, Any, null, Any, null, null, 3, Any);
            await TellAsync(v, Any, null, Any, null, null, Any, 2);
            await TellAsync(v, 0, null, Any, null, null, Any, Any);
            await TellAsync(v, Any, null, 0, null, null, Any, Any);
            await TellAsync(v, Any, null, Any, null, null, 0, Any);
            await TellAsync(v, Any, null, Any, null, null, Any, 99);
            await TellAsync(v, Any, null, Any, null, null, Any, 0);
            await TellAsync(v, 99, null, Any, null, null, Any, Any);
            await TellAsync(v, Any, null, 99, null, null, Any, Any);
            await TellAsync(v, Any, null, Any, null, null, 99, Any);
            await DropAsync(v, 2, "readings", Literal, "User:a", null, 3, Any);
            await DropAsync(v, 2, "nothing", Literal, null, null, Any, Any);
            await DropAsync(v, 2, "readings.y", Match, null, null, Any, Any);
            await DropAsync(v, 0, null, Any, null, null, Any, Any);
            await DropAsync(v, 99, null, Any, null, null, Any, Any);
            await DropAsync(v, Any, null, 0, null, null, Any, Any);
            await DropAsync(v, Any, null, Any, null, null, 0, Any);
            await DropAsync(v, Any, null, Any, null, null, Any, 0);
            await DropAsync(v, Any, null, Any, null, null, Any, Any);
            await SettleAsync(null, 0);
            await TellAsync(v, Any, null, Any, null, null, Any, Any);
        }
        d.Judge();

        // Kafka's controller makes and drops them, its broker, which tells of them, hears of it later than the client; in their order.
        Task SettleAsync(string? topic, int count) => d.WithBothAsync(side => Dialogue.UntilAsync(side, async () =>
        {
            var told = await (await side.ReadyAsync("settle")).CallAsync<DescribeAclsRequest, DescribeAclsResponse>(new() { ResourceTypeFilter = 2, ResourceNameFilter = topic, PatternTypeFilter = Any, PrincipalFilter = null, HostFilter = null, Operation = Any, PermissionType = Any }, 1);
            return told.ErrorCode == 0 && told.Resources.Count == count ? null : $"tells {told.Resources.Count} of {count} ACLs of {topic ?? "all topics"}";
        }));

        Task MakeAsync(short v, sbyte type, string name, sbyte pattern, string principal, string host, sbyte operation, sbyte permission, [CallerLineNumber] int line = 0) => d.AskAsync<CreateAclsRequest, CreateAclsResponse>(_ => new()
        {
            Creations = [new() { ResourceType = type, ResourceName = name, ResourcePatternType = pattern, Principal = principal, Host = host, Operation = operation, PermissionType = permission }],
        }, v, line: line);

        Task TellAsync(short v, sbyte type, string? name, sbyte pattern, string? principal, string? host, sbyte operation, sbyte permission, [CallerLineNumber] int line = 0) => d.AskAsync<DescribeAclsRequest, DescribeAclsResponse>(_ => new()
        {
            ResourceTypeFilter = type, ResourceNameFilter = name, PatternTypeFilter = pattern, PrincipalFilter = principal, HostFilter = host, Operation = operation, PermissionType = permission,
        }, v, arrange: told =>
        {
            foreach (var resource in told.Resources) resource.Acls.Sort((a, b) => string.CompareOrdinal($"{a.Principal} {a.Operation}", $"{b.Principal} {b.Operation}"));
            told.Resources.Sort((a, b) => string.CompareOrdinal($"{a.ResourceType} {a.PatternType} {a.ResourceName}", $"{b.ResourceType} {b.PatternType} {b.ResourceName}"));
        }, line: line);

        Task DropAsync(short v, sbyte type, string? name, sbyte pattern, string? principal, string? host, sbyte operation, sbyte permission, [CallerLineNumber] int line = 0) => d.AskAsync<DeleteAclsRequest, DeleteAclsResponse>(_ => new()
        {
            Filters = [new() { ResourceTypeFilter = type, ResourceNameFilter = name, PatternTypeFilter = pattern, PrincipalFilter = principal, HostFilter = host, Operation = operation, PermissionType = permission }],
        }, v, arrange: told => told.FilterResults.ForEach(f => f.MatchingAcls.Sort((a, b) => string.CompareOrdinal($"{a.ResourceType} {a.PatternType} {a.ResourceName} {a.Principal} {a.Operation}", $"{b.ResourceType} {b.PatternType} {b.ResourceName} {b.Principal} {b.Operation}"))), line: line);
    }
}
