using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Names the broker that coordinates a group or a transactional id: this one. There are no share groups, so no coordinator for them.</summary>
internal sealed class FindCoordinatorApi(Broker broker) : Api<FindCoordinatorRequest, FindCoordinatorResponse>
{
    const sbyte Group = 0, Transaction = 1;
    static readonly AccessRule DescribeGroup = AccessRule.Group(AclOperation.Describe);
    static readonly AccessRule DescribeId = AccessRule.TransactionalId(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DescribeGroup, DescribeId];

    protected override ValueTask<FindCoordinatorResponse?> HandleAsync(FindCoordinatorRequest request, RequestContext context)
    {
        var (host, port) = context.Advertised;
        if (request.KeyType is not (Group or Transaction))
        {
            const string message = "This broker coordinates groups and transactions only.";
            const short error = (short)KafkaError.InvalidRequest;
            return new(context.Version >= 4
                ? new() { Coordinators = [.. request.CoordinatorKeys.Select(k => new FindCoordinatorResponse.Coordinator { Key = k, NodeId = -1, Port = -1, ErrorCode = error, ErrorMessage = message })] }
                : new FindCoordinatorResponse { NodeId = -1, Port = -1, ErrorCode = error, ErrorMessage = message });
        }
        var rule = request.KeyType == Group ? DescribeGroup : DescribeId;
        if (context.Version >= 4) return new(new FindCoordinatorResponse { Coordinators = [.. request.CoordinatorKeys.Select(Find)] });
        var one = Find(request.Key);
        return new(new FindCoordinatorResponse { NodeId = one.NodeId, Host = one.Host, Port = one.Port, ErrorCode = one.ErrorCode, ErrorMessage = one.ErrorMessage });

        FindCoordinatorResponse.Coordinator Find(string key) => context.Allows(rule, key) ? new() { Key = key, NodeId = broker.Options.NodeId, Host = host, Port = port }
            : new() { Key = key, NodeId = -1, Port = -1, ErrorCode = (short)rule.Error, ErrorMessage = AclErrors.NotAllowed };
    }
}
