namespace IotGateway.Broker.Server;

/// <summary>Where a configuration's value comes from (KIP-226).</summary>
internal enum ConfigSource : sbyte
{
    Topic = 1,
    StaticBroker = 4,
    Default = 5,
}
