using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Removes the ACLs that filters mean, all in one step, and tells per filter which they were.</summary>
internal sealed class DeleteAclsApi(Broker broker) : Api<DeleteAclsRequest, DeleteAclsResponse>
{
    static readonly AccessRule Alter = AccessRule.Cluster(AclOperation.Alter);

    public override IReadOnlyList<AccessRule> Access => [Alter];

    protected override async ValueTask<DeleteAclsResponse?> HandleAsync(DeleteAclsRequest request, RequestContext context)
    {
        if (!context.Allows(Alter)) return All(request, Alter.Error, AclErrors.NotAllowed);
        if (broker.Authorizer is not { } authorizer) return All(request, KafkaError.SecurityDisabled, AclErrors.NoAuthorizer);
        var filters = request.Filters.ConvertAll(f => new AclFilter((ResourceType)f.ResourceTypeFilter, f.ResourceNameFilter, (PatternType)f.PatternTypeFilter, f.PrincipalFilter, f.HostFilter,
            (AclOperation)f.Operation, (AclPermission)f.PermissionType));
        if (filters.Exists(f => f.IsMalformed)) throw new ProtocolException("It deletes ACLs of a kind that does not exist.");
        try
        {
            var removed = await authorizer.Store.RemoveAsync(filters, context.ConnectionClosed);
            return new() { FilterResults = [.. removed.Zip(filters, Result)] };
        }
        catch (Exception failure) when (Errors.TryMap(failure, out var error))
        {
            return All(request, error, failure.Message);
        }
    }

    static DeleteAclsResponse.DeleteAclsFilterResult Result(IReadOnlyList<Acl> removed, AclFilter filter) => filter.IsKnown
        ? new() { ErrorMessage = null, MatchingAcls = [.. removed.Select(Removed)] }
        : new() { ErrorCode = (short)KafkaError.InvalidRequest, ErrorMessage = "There are no ACLs of that kind." };

    static DeleteAclsResponse.DeleteAclsMatchingAcl Removed(Acl acl) => new()
    {
        ErrorMessage = null,
        ResourceType = (sbyte)acl.Type,
        ResourceName = acl.Name,
        PatternType = (sbyte)acl.Pattern,
        Principal = acl.Principal,
        Host = acl.Host,
        Operation = (sbyte)acl.Operation,
        PermissionType = (sbyte)acl.Permission,
    };

    static DeleteAclsResponse All(DeleteAclsRequest request, KafkaError error, string message)
        => new() { FilterResults = [.. request.Filters.Select(_ => new DeleteAclsResponse.DeleteAclsFilterResult { ErrorCode = (short)error, ErrorMessage = message })] };
}
