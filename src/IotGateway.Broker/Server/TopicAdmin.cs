using IotGateway.Broker.Protocol;
using IotGateway.Broker.Security.Acls;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>What became of an attempt to make a topic.</summary>
internal readonly record struct MadeTopic(Topic? Topic, KafkaError Error);

/// <summary>Makes topics and guards the gateway's own. Thread-safe.</summary>
internal sealed class TopicAdmin(Broker broker)
{
    const int ReadOnly = 1 << (int)AclOperation.Read | 1 << (int)AclOperation.Describe | 1 << (int)AclOperation.DescribeConfigs;

    /// <summary>Partitions and settings of a topic that is about to be made, where the client gives none.</summary>
    public (int Partitions, TopicConfig Config) Form(string name)
    {
        var options = broker.Options;
        return options.NewTopics?.Invoke(name) ?? (options.DefaultPartitions, new());
    }

    /// <summary>The topic, made by <see cref="Form"/> when it is not there.</summary>
    public async ValueTask<MadeTopic> EnsureAsync(string name, CancellationToken ct)
    {
        // A client that asks for one of the gateway's topics before the gateway made it must not fix its form.
        if (IsProtected(name)) return new(null, KafkaError.UnknownTopicOrPartition);
        try
        {
            var (partitions, config) = Form(name);
            return new(await broker.Store.CreateTopicAsync(name, partitions, config, ct), KafkaError.None);
        }
        catch (TopicExistsException) // another client was faster
        {
            var topic = broker.Store.Find(name);
            return new(topic, topic is null ? KafkaError.UnknownTopicOrPartition : KafkaError.None);
        }
        catch (Exception failure) when (Errors.TryMap(failure, out var error))
        {
            return new(null, error);
        }
    }

    /// <summary>Whether clients may neither make nor remove the topic.</summary>
    public bool IsProtected(string name) => broker.Options.Guard.IsReadOnly(name) || broker.Options.Guard.IsPermanent(name);

    /// <summary>What a client may do to a topic (KIP-430): the gateway's own stay what they are whatever the ACLs say.</summary>
    public int OperationsOn(string name, RequestContext context)
    {
        var operations = context.Operations(ResourceType.Topic, name);
        return broker.Options.Guard.IsReadOnly(name) ? operations & ReadOnly : operations;
    }
}
