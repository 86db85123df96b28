using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Server;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Settings of the broker and of groups, as Kafka's tools change them.</summary>
public sealed class DynamicConfigTests
{
    const sbyte Set = 0, Delete = 1, Append = 2, Subtract = 3;

    [Fact]
    public async Task What_is_set_is_told_with_its_source_and_survives_a_restart()
    {
        string directory;
        await using (var broker = await TestBroker.StartAsync(keep: true))
        {
            directory = broker.Directory;
            await using var client = await broker.ConnectAsync();
            Assert.Equal(KafkaError.None, await AlterAsync(client, ConfigResources.BrokerType, "1", ("background.threads", Set, "9"), ("log.cleanup.policy", Append, "compact")));
            Assert.Equal(KafkaError.None, await AlterAsync(client, ConfigResources.BrokerType, "", ("num.io.threads", Set, "3")));
            Assert.Equal(KafkaError.None, await AlterAsync(client, ConfigResources.Group, "a/b", ("consumer.session.timeout.ms", Set, "50000")));
        }
        await using (var broker = await TestBroker.StartAsync(directory: directory))
        {
            await using var client = await broker.ConnectAsync();
            var told = await DescribeAsync(client, ConfigResources.BrokerType, "1");
            Assert.Equal(("9", ConfigSource.DynamicBroker), told["background.threads"]);
            Assert.Equal(("delete,compact", ConfigSource.DynamicBroker), told["log.cleanup.policy"]);
            Assert.Equal(("3", ConfigSource.DynamicDefaultBroker), told["num.io.threads"]);
            Assert.Equal(("1", ConfigSource.Default), told["log.cleaner.threads"]);
            Assert.Equal(ConfigSource.StaticBroker, told["num.partitions"].Source);
            Assert.Equal(("50000", ConfigSource.Group), (await DescribeAsync(client, ConfigResources.Group, "a/b"))["consumer.session.timeout.ms"]);
            Assert.Equal(ConfigSource.Default, (await DescribeAsync(client, ConfigResources.Group, "b"))["consumer.session.timeout.ms"].Source);

            Assert.Equal(KafkaError.None, await AlterAsync(client, ConfigResources.BrokerType, "1", ("background.threads", Delete, null), ("log.cleanup.policy", Subtract, "compact")));
            told = await DescribeAsync(client, ConfigResources.BrokerType, "1");
            Assert.Equal(("10", ConfigSource.Default), told["background.threads"]);
            Assert.Equal("delete", told["log.cleanup.policy"].Value);
        }
    }

    [Theory]
    [InlineData(ConfigResources.BrokerType, "1", "num.partitions", "5")]
    [InlineData(ConfigResources.BrokerType, "1", "no.such.setting", "5")]
    [InlineData(ConfigResources.BrokerType, "1", "background.threads", "many")]
    [InlineData(ConfigResources.Group, "g", "consumer.session.timeout.ms", "0")]
    public async Task What_cannot_be_changed_or_is_wrong_is_refused(sbyte type, string name, string setting, string value)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        Assert.Equal(KafkaError.InvalidConfig, await AlterAsync(client, type, name, (setting, Set, value)));
        Assert.Equal(KafkaError.InvalidRequest, await AlterAsync(client, ConfigResources.BrokerType, "2", ("background.threads", Set, "5")));
    }

    static async Task<KafkaError> AlterAsync(RawClient client, sbyte type, string name, params (string Name, sbyte Operation, string? Value)[] configs)
        => (KafkaError)(await client.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(new()
        {
            Resources = [new() { ResourceType = type, ResourceName = name, Configs = [.. configs.Select(c => new IncrementalAlterConfigsRequest.AlterableConfig { Name = c.Name, ConfigOperation = c.Operation, Value = c.Value })] }],
        }, 1)).Responses[0].ErrorCode;

    static async Task<Dictionary<string, (string? Value, ConfigSource Source)>> DescribeAsync(RawClient client, sbyte type, string name)
        => (await client.CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(new() { Resources = [new() { ResourceType = type, ResourceName = name }] }, 4))
            .Results[0].Configs.ToDictionary(c => c.Name, c => (c.Value, (ConfigSource)c.ConfigSource));
}
