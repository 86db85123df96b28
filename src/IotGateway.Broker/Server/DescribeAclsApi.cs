using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Tells the ACLs a filter means, by resource.</summary>
internal sealed class DescribeAclsApi(Broker broker) : Api<DescribeAclsRequest, DescribeAclsResponse>
{
    static readonly AccessRule Describe = AccessRule.Cluster(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [Describe];

    protected override ValueTask<DescribeAclsResponse?> HandleAsync(DescribeAclsRequest request, RequestContext context)
    {
        if (!context.Allows(Describe)) return new(new DescribeAclsResponse { ErrorCode = (short)Describe.Error, ErrorMessage = AclErrors.NotAllowed });
        if (broker.Authorizer is not { } authorizer) return new(new DescribeAclsResponse { ErrorCode = (short)KafkaError.SecurityDisabled, ErrorMessage = AclErrors.NoAuthorizer });
        var filter = new AclFilter((ResourceType)request.ResourceTypeFilter, request.ResourceNameFilter, (PatternType)request.PatternTypeFilter, request.PrincipalFilter,
            request.HostFilter, (AclOperation)request.Operation, (AclPermission)request.PermissionType);
        if (filter.IsMalformed) throw new ProtocolException("It asks for ACLs of a kind that does not exist.");
        return new(new DescribeAclsResponse
        {
            ErrorMessage = null,
            Resources = [.. authorizer.Store.Current.All.Where(filter.Matches).GroupBy(a => (a.Type, a.Name, a.Pattern)).Select(resource => new DescribeAclsResponse.DescribeAclsResource
            {
                ResourceType = (sbyte)resource.Key.Type,
                ResourceName = resource.Key.Name,
                PatternType = (sbyte)resource.Key.Pattern,
                Acls = [.. resource.Select(a => new DescribeAclsResponse.AclDescription { Principal = a.Principal, Host = a.Host, Operation = (sbyte)a.Operation, PermissionType = (sbyte)a.Permission })],
            })],
        });
    }
}
