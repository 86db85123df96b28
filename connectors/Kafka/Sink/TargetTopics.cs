using Confluent.Kafka;
using Confluent.Kafka.Admin;
using IotGateway.Connectors.Kafka.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connectors.Kafka.Sink;

/// <summary>What is known of the topics in the target cluster; looks them up and makes missing ones. One caller at a time.</summary>
sealed partial class TargetTopics(KafkaConfig config, ConnectorContext context)
{
    static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(20);
    readonly Dictionary<string, TargetTopic> _known = new(StringComparer.Ordinal);

    /// <summary>The smallest batch limit of all topics met so far.</summary>
    public int MaxMessage { get; private set; } = TargetTopic.DefaultMaxMessage;

    /// <summary>The target of a topic that <see cref="EnsureAsync"/> has seen.</summary>
    public TargetTopic this[string topic] => _known[topic];

    /// <summary>To be looked up anew: it seems to have been deleted.</summary>
    public void Forget(string topic) => _known.Remove(topic);

    /// <summary>Looks up the targets of all records from <paramref name="from"/> on.</summary>
    /// <exception cref="PermanentException">A topic is missing and may not be made, or access is refused.</exception>
    /// <exception cref="KafkaException">The cluster did not answer.</exception>
    public async Task EnsureAsync(Handle handle, IReadOnlyList<SinkRecord> batch, int from, CancellationToken ct)
    {
        Dictionary<string, int>? missing = null;
        string? last = null;
        for (var i = from; i < batch.Count; i++)
        {
            var record = batch[i];
            if ((object)record.Topic == last || _known.ContainsKey(last = record.Topic)) continue;
            last = null;      // more records may show more partitions
            missing ??= new(StringComparer.Ordinal);
            missing[record.Topic] = Math.Max(missing.GetValueOrDefault(record.Topic), Math.Max(record.Partitions, record.Partition + 1));
        }
        if (missing is null) return;
        using var admin = new DependentAdminClientBuilder(handle).Build();
        foreach (var (topic, partitions) in missing) _known[topic] = await LookUpAsync(admin, topic, partitions).WaitAsync(ct).ConfigureAwait(false);
        MaxMessage = _known.Values.Min(t => t.MaxMessage);
    }

    async Task<TargetTopic> LookUpAsync(IAdminClient admin, string topic, int partitions)
    {
        if (TargetName.Expand(config.Target, topic, context.Gateway) is not { } name) return new(null, 0, TargetTopic.DefaultMaxMessage);
        var found = await PartitionsOfAsync(admin, name).ConfigureAwait(false);
        if (found == 0)
        {
            if (!config.CreateTopics) throw new PermanentException($"{config.Endpoint} has no topic '{name}': make it there, or set \"createTopics\": true.");
            await CreateAsync(admin, name, partitions).ConfigureAwait(false);
            found = await PartitionsOfAsync(admin, name).ConfigureAwait(false) is > 0 and var n ? n : partitions;
        }
        if (found != partitions) Log.Partitions(context.Logger, name, found, topic, partitions);
        return new(name, found, await MaxMessageOfAsync(admin, name).ConfigureAwait(false));
    }

    /// <summary>0 when there is no such topic.</summary>
    async Task<int> PartitionsOfAsync(IAdminClient admin, string name)
    {
        try
        {
            var result = await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([name]), new DescribeTopicsOptions { RequestTimeout = RequestTimeout }).ConfigureAwait(false);
            return result.TopicDescriptions[0].Partitions.Count;
        }
        catch (DescribeTopicsException e) when (e.Results.TopicDescriptions is [{ Error.Code: ErrorCode.UnknownTopicOrPart }])
        {
            return 0;
        }
        catch (DescribeTopicsException e) when (e.Results.TopicDescriptions is [{ } one] && Verdict.Permanent(one.Error, config, name) is { } permanent)
        {
            throw permanent;
        }
    }

    async Task CreateAsync(IAdminClient admin, string name, int partitions)
    {
        try
        {
            var topic = new TopicSpecification { Name = name, NumPartitions = partitions, ReplicationFactor = config.Replicas == 0 ? (short)-1 : (short)config.Replicas };
            await admin.CreateTopicsAsync([topic], new CreateTopicsOptions { RequestTimeout = RequestTimeout, OperationTimeout = RequestTimeout }).ConfigureAwait(false);
            Log.Created(context.Logger, name, partitions, config.Endpoint.ToString());
        }
        catch (CreateTopicsException e) when (e.Results is [{ Error.Code: ErrorCode.TopicAlreadyExists }])
        {
            // Someone else was faster.
        }
        catch (CreateTopicsException e) when (e.Results is [{ Error: { Code: ErrorCode.TopicAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed or ErrorCode.PolicyViolation or ErrorCode.InvalidReplicationFactor or ErrorCode.InvalidPartitions } error }])
        {
            throw new PermanentException($"{config.Endpoint} does not let topic '{name}' be made with {partitions} partitions ({error.Reason}): make it there by hand.", e);
        }
    }

    /// <summary>Kafka's default when the limit may not be read.</summary>
    static async Task<int> MaxMessageOfAsync(IAdminClient admin, string name)
    {
        try
        {
            var results = await admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = name }], new DescribeConfigsOptions { RequestTimeout = RequestTimeout }).ConfigureAwait(false);
            return results is [{ Entries: { } entries }] && entries.TryGetValue("max.message.bytes", out var entry) && int.TryParse(entry.Value, out var bytes) ? bytes : TargetTopic.DefaultMaxMessage;
        }
        catch (DescribeConfigsException)
        {
            return TargetTopic.DefaultMaxMessage;
        }
    }

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Made topic {Topic} with {Partitions} partitions at {Endpoint}.")]
        public static partial void Created(ILogger logger, string topic, int partitions, string endpoint);

        [LoggerMessage(Level = LogLevel.Information, Message = "Topic {Topic} has {Found} partitions there, {Local} has {Partitions} here: records are placed by key.")]
        public static partial void Partitions(ILogger logger, string topic, int found, string local, int partitions);
    }
}
