using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Raises the number of a topic's partitions.</summary>
internal sealed class CreatePartitionsApi(Broker broker) : Api<CreatePartitionsRequest, CreatePartitionsResponse>
{
    static readonly AccessRule Alter = AccessRule.Topic(AclOperation.Alter);

    public override IReadOnlyList<AccessRule> Access => [Alter];

    protected override async ValueTask<CreatePartitionsResponse?> HandleAsync(CreatePartitionsRequest request, RequestContext context)
    {
        var response = new CreatePartitionsResponse();
        var seen = new HashSet<string>();
        foreach (var asked in request.Topics)
        {
            var (error, message) = !seen.Add(asked.Name) ? (KafkaError.InvalidRequest, $"Topic '{asked.Name}' is named more than once in the request.")
                : context.Allows(Alter, asked.Name) ? await RaiseAsync(asked, request.ValidateOnly, context.ConnectionClosed)
                : (Alter.Error, AclErrors.NotAllowed);
            response.Results.Add(new() { Name = asked.Name, ErrorCode = (short)error, ErrorMessage = message });
        }
        return response;
    }

    async ValueTask<(KafkaError, string?)> RaiseAsync(CreatePartitionsRequest.CreatePartitionsTopic asked, bool validateOnly, CancellationToken ct)
    {
        if (broker.Store.Find(asked.Name) is not { } topic) return (KafkaError.UnknownTopicOrPartition, $"There is no topic '{asked.Name}'.");
        if (broker.Topics.IsProtected(asked.Name)) return (KafkaError.TopicAuthorizationFailed, $"Topic '{asked.Name}' is the gateway's own.");
        var has = topic.Partitions.Count;
        if (asked.Count <= has) return (KafkaError.InvalidPartitions, $"Topic '{asked.Name}' has {has} partitions; {asked.Count} are no more than that.");
        if (asked.Count > broker.Options.MaxPartitionsPerTopic) return (KafkaError.InvalidPartitions, $"A topic may have {broker.Options.MaxPartitionsPerTopic} partitions at most.");
        if (asked.Assignments is { } assignments && assignments.Count != asked.Count - has)
            return (KafkaError.InvalidReplicaAssignment, $"{asked.Count - has} new partitions need as many assignments, not {assignments.Count}.");
        try
        {
            if (!validateOnly) await broker.Store.AddPartitionsAsync(topic.Id, asked.Count, ct);
            return (KafkaError.None, null);
        }
        catch (Exception failure) when (Errors.TryMap(failure, out var error))
        {
            return (error, failure.Message);
        }
    }
}
