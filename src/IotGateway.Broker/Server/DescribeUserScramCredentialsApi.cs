using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>No user has SCRAM credentials; Kafka's configs tool asks for them whenever it describes users.</summary>
internal sealed class DescribeUserScramCredentialsApi : Api<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>
{
    const short ResourceNotFound = 91;

    protected override ValueTask<DescribeUserScramCredentialsResponse?> HandleAsync(DescribeUserScramCredentialsRequest request, RequestContext context)
        => new(new DescribeUserScramCredentialsResponse
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
