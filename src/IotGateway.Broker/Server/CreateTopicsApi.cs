using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>Makes topics. Any replication factor and any assignment is taken and one replica is told: there is one broker.</summary>
internal sealed class CreateTopicsApi(Broker broker) : Api<CreateTopicsRequest, CreateTopicsResponse>
{
    /// <summary>Of one request, as in Kafka: every topic is answered with all of its settings.</summary>
    const int MostPartitions = 10_000;

    static readonly AccessRule CreateOnCluster = AccessRule.Cluster(AclOperation.Create);
    static readonly AccessRule CreateTopic = AccessRule.Topic(AclOperation.Create);
    static readonly AccessRule SeeConfigs = AccessRule.Topic(AclOperation.DescribeConfigs);

    public override IReadOnlyList<AccessRule> Access => [CreateOnCluster, CreateTopic, SeeConfigs];

    protected override async ValueTask<CreateTopicsResponse?> HandleAsync(CreateTopicsRequest request, RequestContext context)
    {
        var response = new CreateTopicsResponse();
        if (request.Topics.Sum(t => (long)Math.Max(Partitions(t), 0)) > MostPartitions)
        {
            response.Topics.AddRange(request.Topics.DistinctBy(t => t.Name).Select(t => Refuse(t.Name, KafkaError.PolicyViolation, $"One request can make {MostPartitions} partitions at most.")));
            return response;
        }
        var all = context.Sees(CreateOnCluster, Acl.Cluster);
        var twice = request.Topics.GroupBy(t => t.Name).Where(g => g.Count() > 1).Select(g => g.Key).ToHashSet();
        foreach (var name in twice) response.Topics.Add(Refuse(name, KafkaError.InvalidRequest, $"Topic '{name}' is named more than once in the request."));
        foreach (var asked in request.Topics.Where(t => !twice.Contains(t.Name)))
            response.Topics.Add(all || context.Allows(CreateTopic, asked.Name) ? await CreateAsync(asked, request.ValidateOnly, context)
                : Refuse(asked.Name, CreateTopic.Error, AclErrors.NotAllowed));
        return response;
    }

    async ValueTask<CreateTopicsResponse.CreatableTopicResult> CreateAsync(CreateTopicsRequest.CreatableTopic asked, bool validateOnly, RequestContext context)
    {
        if (Check(asked) is { } refusal) return refusal;
        var partitions = Partitions(asked);
        var settings = new Dictionary<string, string>(broker.Topics.Form(asked.Name).Config.Settings);
        foreach (var config in asked.Configs) settings[config.Name] = config.Value!;
        var id = Guid.Empty;
        try
        {
            if (!validateOnly) id = (await broker.Store.CreateTopicAsync(asked.Name, partitions, new TopicConfig { Settings = settings }, context.ConnectionClosed)).Id;
        }
        catch (Exception failure) when (Errors.TryMap(failure, out var error))
        {
            return Refuse(asked.Name, error, failure.Message);
        }
        // Who may make a topic may not be one to see what it became.
        if (!context.Sees(SeeConfigs, asked.Name)) return new() { Name = asked.Name, TopicId = id, ErrorMessage = null, TopicConfigErrorCode = (short)SeeConfigs.Error };
        return new()
        {
            Name = asked.Name,
            TopicId = id,
            ErrorMessage = null,
            NumPartitions = partitions,
            ReplicationFactor = 1,
            Configs = [.. TopicSettings.All.Select(s => new CreateTopicsResponse.CreatableTopicConfigs
            {
                Name = s.Name,
                Value = settings.GetValueOrDefault(s.Name, s.Default),
                ConfigSource = (sbyte)(settings.ContainsKey(s.Name) ? ConfigSource.Topic : ConfigSource.Default),
            })],
        };
    }

    int Partitions(CreateTopicsRequest.CreatableTopic asked)
        => asked.Assignments.Count > 0 ? asked.Assignments.Count : asked.NumPartitions == -1 ? broker.Topics.Form(asked.Name).Partitions : asked.NumPartitions;

    CreateTopicsResponse.CreatableTopicResult? Check(CreateTopicsRequest.CreatableTopic asked)
    {
        if (TopicNames.Problem(asked.Name) is { } name) return Refuse(asked.Name, KafkaError.InvalidTopic, name);
        if (broker.Store.Find(asked.Name) is not null) return Refuse(asked.Name, KafkaError.TopicAlreadyExists, $"Topic '{asked.Name}' already exists.");
        if (broker.Topics.IsProtected(asked.Name))
            return Refuse(asked.Name, KafkaError.TopicAuthorizationFailed, $"Topic '{asked.Name}' is the gateway's own; the gateway makes it.");
        if (asked.Assignments.Count > 0)
        {
            if (asked.NumPartitions != -1 || asked.ReplicationFactor != -1)
                return Refuse(asked.Name, KafkaError.InvalidRequest, "With assignments, neither partitions nor replication factor may be given.");
            if (!asked.Assignments.Select(a => a.PartitionIndex).Order().SequenceEqual(Enumerable.Range(0, asked.Assignments.Count)) || asked.Assignments.Exists(a => a.BrokerIds.Count == 0))
                return Refuse(asked.Name, KafkaError.InvalidReplicaAssignment, "Assignments must name the partitions from 0 without gaps, each with a broker.");
        }
        else
        {
            if (asked.NumPartitions is 0 or < -1) return Refuse(asked.Name, KafkaError.InvalidPartitions, "The number of partitions must be greater than 0.");
            if (asked.ReplicationFactor is 0 or < -1) return Refuse(asked.Name, KafkaError.InvalidReplicationFactor, "The replication factor must be greater than 0.");
        }
        if (Math.Max(asked.NumPartitions, asked.Assignments.Count) > broker.Options.MaxPartitionsPerTopic)
            return Refuse(asked.Name, KafkaError.InvalidPartitions, $"A topic may have {broker.Options.MaxPartitionsPerTopic} partitions at most.");
        if (asked.Configs.GroupBy(c => c.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            return Refuse(asked.Name, KafkaError.InvalidConfig, $"{twice.Key} is given more than once.");
        if (asked.Configs.Find(c => c.Value is null) is { } missing) return Refuse(asked.Name, KafkaError.InvalidConfig, $"{missing.Name} has no value.");
        var problem = TopicSettings.Problem(asked.Configs.Select(c => KeyValuePair.Create(c.Name, c.Value!)));
        return problem is null ? null : Refuse(asked.Name, KafkaError.InvalidConfig, problem);
    }

    static CreateTopicsResponse.CreatableTopicResult Refuse(string name, KafkaError error, string message)
        => new() { Name = name, ErrorCode = (short)error, ErrorMessage = message };
}
