using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>No user has SCRAM credentials; Kafka's configs tool asks for them whenever it describes users.</summary>
internal sealed class DescribeUserScramCredentialsApi : Api<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>
{
    const short ResourceNotFound = 91;
    static readonly AccessRule Describe = AccessRule.Cluster(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [Describe];

    protected override ValueTask<DescribeUserScramCredentialsResponse?> HandleAsync(DescribeUserScramCredentialsRequest request, RequestContext context)
        => new(!context.Allows(Describe) ? new DescribeUserScramCredentialsResponse { ErrorCode = (short)Describe.Error, ErrorMessage = AclErrors.NotAllowed } : new()
        {
            ErrorMessage = null,
            Results = [.. (request.Users ?? []).Select(u => new DescribeUserScramCredentialsResponse.DescribeUserScramCredentialsResult
            {
                User = u.Name,
                ErrorCode = ResourceNotFound,
                ErrorMessage = $"User '{u.Name}' has no SCRAM credentials.",
            })],
        });
}
