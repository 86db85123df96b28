using System.Globalization;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Security.Acls;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>One setting of a resource as told to clients.</summary>
internal sealed record ConfigEntry(string Name, string Value, string Default, ConfigSource Source, SettingType Type, bool ReadOnly);

/// <summary>What the three configuration APIs have in common: resources, their settings, and changing them. Thread-safe.</summary>
internal sealed class ConfigResources
{
    readonly Broker _broker;
    readonly DynamicConfigs _dynamic;
    readonly Lock _applying = new();

    /// <summary>Puts in force what was set before.</summary>
    public ConfigResources(Broker broker)
    {
        (_broker, _dynamic) = (broker, new(broker.Store));
        foreach (var group in _dynamic.Resources(Group)) Apply(Group, group);
        Apply(BrokerType, Id);
    }

    /// <summary>Types of resources (Kafka's ConfigResource.Type).</summary>
    public const sbyte Topic = 2, BrokerType = 4, Loggers = 8, ClientMetrics = 16, Group = 32;

    /// <summary>Settings that clients cannot change of the gateway's own topics: outcomes and principals must be on disk before they are seen.</summary>
    static readonly string[] TheGateways = ["iotgateway.durability", "cleanup.policy"];

    /// <summary>What the three ask about, by the kind of resource.</summary>
    public static IReadOnlyList<AccessRule> Rules(AclOperation operation) => [AccessRule.Topic(operation), AccessRule.Group(operation), AccessRule.Cluster(operation)];

    /// <summary>Settings of a resource; null with an error where there is no such resource.</summary>
    public (IReadOnlyList<ConfigEntry>? Entries, KafkaError Error, string? Message) Describe(RequestContext context, sbyte type, string name)
    {
        if (Refusal(context, AclOperation.DescribeConfigs, type, name) is { } refused) return (null, refused, AclErrors.NotAllowed);
        switch (type)
        {
            case Topic when TopicNames.Problem(name) is { } problem:
                return (null, KafkaError.InvalidTopic, problem);
            case Topic:
                return _broker.Store.Find(name) is { } topic ? ([.. TopicSettings.All.Select(s => Entry(s, topic))], KafkaError.None, null)
                    : (null, KafkaError.UnknownTopicOrPartition, $"There is no topic '{name}'.");
            case BrokerType when name == "":
                return ([.. _dynamic.Of(type, "").Select(s => Find(type, s.Key) is { } setting
                    ? new ConfigEntry(s.Key, s.Value, setting.Default, ConfigSource.DynamicDefaultBroker, setting.Type, false) : null).OfType<ConfigEntry>()], KafkaError.None, null);
            case BrokerType when name == Id:
                return ([.. BrokerEntries(), .. DynamicEntries()], KafkaError.None, null);
            case Group:
                var set = _dynamic.Of(type, name);
                return ([.. BrokerSettings.OfGroups.Select(s => set.TryGetValue(s.Name, out var value)
                    ? new ConfigEntry(s.Name, value, s.Default, ConfigSource.Group, s.Type, false) : new(s.Name, s.Default, s.Default, ConfigSource.Default, s.Type, false))], KafkaError.None, null);
            case BrokerType:
                return (null, KafkaError.InvalidRequest, $"This is broker {Id}, not '{name}'.");
            case Loggers or ClientMetrics:
                return ([], KafkaError.None, null); // nothing is set
            default:
                return (null, KafkaError.InvalidRequest, $"There is no kind {type} of resources.");
        }
    }

    /// <summary>The setting of that name that clients may change, or null.</summary>
    public static Setting? Find(sbyte type, string name) => type switch
    {
        Topic => TopicSettings.Find(name),
        BrokerType => BrokerSettings.All.FirstOrDefault(s => s.Name == name),
        Group => BrokerSettings.OfGroups.FirstOrDefault(s => s.Name == name),
        _ => null,
    };

    /// <summary>Changes a resource's settings by a function of those set before; what it returns is a refusal, null is none.</summary>
    public async ValueTask<(KafkaError Error, string? Message)> AlterAsync(RequestContext context, sbyte type, string name, bool validateOnly,
        Func<Dictionary<string, string>, (KafkaError, string)?> change)
    {
        if (Refusal(context, AclOperation.AlterConfigs, type, name) is { } refused) return (refused, AclErrors.NotAllowed);
        if (type == BrokerType && name != "" && name != Id) return (KafkaError.InvalidRequest, $"This is broker {Id}, not '{name}'.");
        if (type == Group && name == "") return (KafkaError.InvalidRequest, "The group has no name.");
        if (type is BrokerType or Group) return await AlterDynamicAsync(type, name, validateOnly, change, context.ConnectionClosed);
        if (type != Topic) return (KafkaError.InvalidRequest, "Only topics, groups and the broker can be configured here.");
        if (_broker.Store.Find(name) is not { } topic) return (KafkaError.UnknownTopicOrPartition, $"There is no topic '{name}'.");
        var settings = new Dictionary<string, string>(topic.Config.Settings);
        if (change(settings) is { } refusal) return refusal;
        if (TopicSettings.Problem(settings) is { } problem) return (KafkaError.InvalidConfig, problem);
        if (_broker.Topics.IsProtected(name) && Array.Find(TheGateways, s => settings.GetValueOrDefault(s) != topic.Config.Settings.GetValueOrDefault(s)) is { } kept)
            return (KafkaError.InvalidConfig, $"The gateway relies on {kept} of its own topics as it is.");
        try
        {
            if (!validateOnly) await _broker.Store.SetConfigAsync(topic.Id, topic.Config with { Settings = settings }, context.ConnectionClosed);
            return (KafkaError.None, null);
        }
        catch (Exception failure) when (Errors.TryMap(failure, out var error))
        {
            return (error, failure.Message);
        }
    }

    async ValueTask<(KafkaError Error, string? Message)> AlterDynamicAsync(sbyte type, string name, bool validateOnly, Func<Dictionary<string, string>, (KafkaError, string)?> change, CancellationToken ct)
    {
        var settings = _dynamic.Of(type, name);
        if (change(settings) is { } refusal) return refusal;
        foreach (var (setting, value) in settings)
        {
            if (Find(type, setting) is not { } known) return (KafkaError.InvalidConfig, Unknown(type, setting));
            if (known.Problem(value) is { } problem) return (KafkaError.InvalidConfig, problem);
        }
        if (type == Group && _broker.Groups.Settings.Problem(settings) is { } contradiction) return (KafkaError.InvalidConfig, contradiction);
        try
        {
            if (validateOnly) return (KafkaError.None, null);
            await _dynamic.SaveAsync(type, name, settings, ct);
            Apply(type, name);
            return (KafkaError.None, null);
        }
        catch (Exception failure) when (Errors.TryMap(failure, out var error))
        {
            return (error, failure.Message);
        }
    }

    /// <summary>Puts in force what is durable: looked up under the lock, so that of two changes at once the later one stays.</summary>
    void Apply(sbyte type, string name)
    {
        lock (_applying)
        {
            if (type == Group) _broker.Groups.Settings.Set(name, _dynamic.Of(Group, name));
            else _broker.Hosts.Set(DynamicEntries().ToDictionary(entry => entry.Name, entry => entry.Value));
        }
    }

    /// <summary>Why a setting cannot be changed.</summary>
    public static string Unknown(sbyte type, string name) => type switch
    {
        Topic => $"Unknown topic config name: {name}",
        BrokerType => $"{name} cannot be changed while the broker runs; what does something here is in gateway.json.",
        _ => $"Unknown config name: {name}",
    };

    static KafkaError? Refusal(RequestContext context, AclOperation operation, sbyte type, string name)
    {
        var rule = type switch { Topic => AccessRule.Topic(operation), Group => AccessRule.Group(operation), _ => AccessRule.Cluster(operation) };
        return context.Allows(rule, type is Topic or Group ? name : Acl.Cluster) ? null : rule.Error;
    }

    string Id => _broker.Options.NodeId.ToString(CultureInfo.InvariantCulture);

    static ConfigEntry Entry(Setting setting, Topic topic)
    {
        var set = topic.Config.Settings.TryGetValue(setting.Name, out var value);
        return new(setting.Name, set ? value! : TopicSettings.InForce(setting, topic.Rules), setting.Default, set ? ConfigSource.Topic : ConfigSource.Default, setting.Type, false);
    }

    IEnumerable<ConfigEntry> DynamicEntries()
    {
        var (own, common) = (_dynamic.Of(BrokerType, Id), _dynamic.Of(BrokerType, ""));
        foreach (var s in BrokerSettings.All)
            yield return own.TryGetValue(s.Name, out var value) ? new(s.Name, value, s.Default, ConfigSource.DynamicBroker, s.Type, false)
                : common.TryGetValue(s.Name, out value) ? new(s.Name, value, s.Default, ConfigSource.DynamicDefaultBroker, s.Type, false)
                : new(s.Name, s.Default, s.Default, ConfigSource.Default, s.Type, false);
    }

    /// <summary>The few broker settings that clients and tools look at and that do something; all are read-only, set by gateway.json.</summary>
    List<ConfigEntry> BrokerEntries()
    {
        var options = _broker.Options;
        return
        [
            Static("advertised.listeners", string.Join(',', options.Listeners.Select(l => $"{l.Name}://{l.AdvertisedHost ?? l.Endpoint.Address.ToString()}:{l.AdvertisedPort ?? l.Endpoint.Port}")), SettingType.String),
            Static("auto.create.topics.enable", options.AutoCreateTopics ? "true" : "false", SettingType.Boolean),
            Static("broker.id", Id, SettingType.Int),
            Static("connections.max.idle.ms", Number((long)options.IdleTimeout.TotalMilliseconds), SettingType.Long),
            Static("default.replication.factor", "1", SettingType.Int),
            Static("delete.topic.enable", "true", SettingType.Boolean),
            Static("fetch.max.bytes", Number(options.MaxFetchBytes), SettingType.Int),
            Static("log.retention.ms", TopicSettings.Find("retention.ms")!.Default, SettingType.Long),
            Static("max.connections", Number(options.MaxConnections), SettingType.Int),
            Static("message.max.bytes", TopicSettings.Find("max.message.bytes")!.Default, SettingType.Int),
            Static("min.insync.replicas", "1", SettingType.Int),
            Static("num.partitions", Number(options.DefaultPartitions), SettingType.Int),
            Static("socket.request.max.bytes", Number(options.MaxFrameBytes), SettingType.Int),
            Static("unclean.leader.election.enable", "false", SettingType.Boolean),
        ];
    }

    static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    static ConfigEntry Static(string name, string value, SettingType type) => new(name, value, value, ConfigSource.StaticBroker, type, true);
}
