using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Names the broker that coordinates a group or a transactional id: this one. There are no share groups, so no coordinator for them.</summary>
internal sealed class FindCoordinatorApi(Broker broker) : Api<FindCoordinatorRequest, FindCoordinatorResponse>
{
    const sbyte Group = 0, Transaction = 1;

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
        var id = broker.Options.NodeId;
        return new(context.Version >= 4
            ? new() { Coordinators = [.. request.CoordinatorKeys.Select(k => new FindCoordinatorResponse.Coordinator { Key = k, NodeId = id, Host = host, Port = port })] }
            : new FindCoordinatorResponse { NodeId = id, Host = host, Port = port });
    }
}
