using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Adds ACLs, the well-formed ones of a request in one step; what is there already is no error.</summary>
internal sealed class CreateAclsApi(Broker broker) : Api<CreateAclsRequest, CreateAclsResponse>
{
    static readonly AccessRule Alter = AccessRule.Cluster(AclOperation.Alter);

    public override IReadOnlyList<AccessRule> Access => [Alter];

    protected override async ValueTask<CreateAclsResponse?> HandleAsync(CreateAclsRequest request, RequestContext context)
    {
        if (!context.Allows(Alter)) return All(request, Alter.Error, AclErrors.NotAllowed);
        if (broker.Authorizer is not { } authorizer) return All(request, KafkaError.SecurityDisabled, AclErrors.NoAuthorizer);
        var acls = request.Creations.ConvertAll(c => new Acl((ResourceType)c.ResourceType, c.ResourceName, (PatternType)c.ResourcePatternType, c.Principal, c.Host, (AclOperation)c.Operation, (AclPermission)c.PermissionType));
        if (acls.Exists(a => Filter(a).IsMalformed)) throw new ProtocolException("It makes an ACL of a kind that does not exist.");
        var faults = acls.ConvertAll(a => Filter(a).IsKnown ? a.Fault() : "There are no ACLs of that kind.");
        var error = KafkaError.None;
        try
        {
            await authorizer.Store.AddAsync([.. acls.Where((_, i) => faults[i] is null)], context.ConnectionClosed);
        }
        catch (Exception failure) when (Errors.TryMap(failure, out error))
        {
            // told below, for each that was to be written
        }
        return new()
        {
            Results = [.. faults.Select(fault => fault is null ? Result(error, null) : Result(KafkaError.InvalidRequest, fault))],
        };
    }

    static AclFilter Filter(Acl acl) => new(acl.Type, acl.Name, acl.Pattern, acl.Principal, acl.Host, acl.Operation, acl.Permission);

    static CreateAclsResponse All(CreateAclsRequest request, KafkaError error, string message) => new() { Results = [.. request.Creations.Select(_ => Result(error, message))] };

    static CreateAclsResponse.AclCreationResult Result(KafkaError error, string? message) => new() { ErrorCode = (short)error, ErrorMessage = message };
}
