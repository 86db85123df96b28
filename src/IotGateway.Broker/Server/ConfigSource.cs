namespace IotGateway.Broker.Server;

/// <summary>Where a configuration's value comes from (KIP-226).</summary>
internal enum ConfigSource : sbyte
{
    Topic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
    Group = 8,
}
