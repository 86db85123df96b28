using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using IotGateway.Broker.Security.Scram;

namespace IotGateway.Broker.Server;

/// <summary>
/// Sets and removes SCRAM credentials (KIP-554). The client has salted the password already. A user with anything wrong about him is left as he
/// is and told so; all others change in one step.
/// </summary>
internal sealed class AlterUserScramCredentialsApi(UserStore users) : Api<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse>
{
    static readonly AccessRule Alter = AccessRule.Cluster(AclOperation.Alter);

    public override IReadOnlyList<AccessRule> Access => [Alter];

    protected override async ValueTask<AlterUserScramCredentialsResponse?> HandleAsync(AlterUserScramCredentialsRequest request, RequestContext context)
    {
        var problems = new Dictionary<string, (KafkaError Error, string Message)>();
        var failure = (Error: KafkaError.None, Message: "");
        try
        {
            if (!context.Allows(Alter)) failure = (Alter.Error, AclErrors.NotAllowed);
            else await users.AlterAsync(() => Decide(request, problems), context.ConnectionClosed);
        }
        catch (Exception refused) when (Errors.TryMap(refused, out var error))
        {
            failure = (error, refused.Message);
        }
        return new()
        {
            Results = [.. request.Deletions.Select(d => d.Name).Concat(request.Upsertions.Select(u => u.Name)).Distinct().Select(user =>
            {
                var (error, message) = problems.GetValueOrDefault(user, failure);
                return new AlterUserScramCredentialsResponse.AlterUserScramCredentialsResult { User = user, ErrorCode = (short)error, ErrorMessage = error == KafkaError.None ? null : message };
            })],
        };
    }

    List<UserChange> Decide(AlterUserScramCredentialsRequest request, Dictionary<string, (KafkaError Error, string Message)> problems)
    {
        var twice = request.Deletions.Select(d => (d.Name, d.Mechanism)).Concat(request.Upsertions.Select(u => (u.Name, u.Mechanism))).GroupBy(c => c).Where(g => g.Count() > 1);
        var changes = new List<UserChange>();
        foreach (var deletion in request.Deletions)
        {
            if (Problem(deletion.Name, deletion.Mechanism, out var mechanism) is { } problem) problems.TryAdd(deletion.Name, problem);
            else if (users.Find(mechanism!, deletion.Name) is null) problems.TryAdd(deletion.Name, (KafkaError.ResourceNotFound, $"User '{deletion.Name}' has no {mechanism!.Name} credential."));
            else changes.Add(new(mechanism!, deletion.Name, null));
        }
        foreach (var upsertion in request.Upsertions)
        {
            if ((Problem(upsertion.Name, upsertion.Mechanism, out var mechanism) ?? Problem(upsertion, mechanism!)) is { } problem) problems.TryAdd(upsertion.Name, problem);
            else changes.Add(new(mechanism!, upsertion.Name, ScramCredential.FromSalted(mechanism!, upsertion.Iterations, upsertion.Salt.ToArray(), upsertion.SaltedPassword.Span)));
        }
        foreach (var (user, _) in twice.Select(g => g.Key)) problems.TryAdd(user, (KafkaError.DuplicateResource, $"User '{user}' would be changed twice by one request."));
        changes.RemoveAll(c => problems.ContainsKey(c.User));
        return changes;
    }

    static (KafkaError, string)? Problem(string user, sbyte type, out ScramMechanism? mechanism)
    {
        mechanism = ScramMechanism.Find(type);
        if (user.Length is 0 or > UserStore.LongestName) return (KafkaError.UnacceptableCredential, $"A user's name has 1 to {UserStore.LongestName} characters.");
        return mechanism is null ? (KafkaError.UnsupportedSaslMechanism, $"There is no SCRAM mechanism {type}.") : null;
    }

    static (KafkaError, string)? Problem(AlterUserScramCredentialsRequest.ScramCredentialUpsertion upsertion, ScramMechanism mechanism)
    {
        if (upsertion.Iterations is < ScramMechanism.LeastIterations or > ScramMechanism.MostIterations)
            return (KafkaError.UnacceptableCredential, $"{upsertion.Iterations} iterations; allowed are {ScramMechanism.LeastIterations} to {ScramMechanism.MostIterations}.");
        if (upsertion.SaltedPassword.Length != mechanism.Size) return (KafkaError.UnacceptableCredential, $"The salted password has {upsertion.SaltedPassword.Length} bytes; with {mechanism.Name} it has {mechanism.Size}.");
        return upsertion.Salt.Length is 0 or > UserStore.LongestSalt ? (KafkaError.UnacceptableCredential, $"A salt has 1 to {UserStore.LongestSalt} bytes.") : null;
    }
}
