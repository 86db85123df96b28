using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using IotGateway.Broker.Security.Scram;
using Result = IotGateway.Broker.Protocol.Messages.DescribeUserScramCredentialsResponse.DescribeUserScramCredentialsResult;

namespace IotGateway.Broker.Server;

/// <summary>Tells which users there are, with the mechanisms and iterations of their credentials and nothing else of them (KIP-554).</summary>
internal sealed class DescribeUserScramCredentialsApi(UserStore users) : Api<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>
{
    static readonly AccessRule DescribeCluster = AccessRule.Cluster(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DescribeCluster];

    protected override ValueTask<DescribeUserScramCredentialsResponse?> HandleAsync(DescribeUserScramCredentialsRequest request, RequestContext context)
        => new(!context.Allows(DescribeCluster) ? new DescribeUserScramCredentialsResponse { ErrorCode = (short)DescribeCluster.Error, ErrorMessage = AclErrors.NotAllowed } : new()
        {
            ErrorMessage = null,
            Results = request.Users is { Count: > 0 } asked
                ? [.. asked.GroupBy(u => u.Name).Select(g => g.Count() > 1 ? Problem(g.Key, KafkaError.DuplicateResource, $"User '{g.Key}' is asked for more than once.") : Describe(g.Key, users.Of(g.Key)))]
                : [.. users.All().Select(u => Describe(u.User, u.Credentials))],
        });

    static Result Describe(string user, IReadOnlyList<ScramCredential> credentials) => credentials.Count == 0
        ? Problem(user, KafkaError.ResourceNotFound, $"User '{user}' has no SCRAM credentials.")
        : new() { User = user, ErrorMessage = null, CredentialInfos = [.. credentials.Select(c => new DescribeUserScramCredentialsResponse.CredentialInfo { Mechanism = c.Mechanism.Type, Iterations = c.Iterations })] };

    static Result Problem(string user, KafkaError error, string message) => new() { User = user, ErrorCode = (short)error, ErrorMessage = message };
}
