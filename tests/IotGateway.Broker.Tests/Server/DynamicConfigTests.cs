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
    [InlineData(ConfigResources.Group, "g", "consumer.session.timeout.ms", "5999")]
    [InlineData(ConfigResources.Group, "g", "consumer.session.timeout.ms", "1800001")]
    [InlineData(ConfigResources.Group, "g", "consumer.heartbeat.interval.ms", "999")]
    [InlineData(ConfigResources.BrokerType, "1", "max.connections.per.ip.overrides", "somewhere:5")]
    [InlineData(ConfigResources.BrokerType, "1", "max.connections.per.ip.overrides", "10.0.0.1")]
    [InlineData(ConfigResources.BrokerType, "1", "max.connections.per.ip.overrides", "10.0.0.1:5,10.0.0.1:6")]
    public async Task What_cannot_be_changed_or_is_wrong_is_refused(sbyte type, string name, string setting, string value)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        Assert.Equal(KafkaError.InvalidConfig, await AlterAsync(client, type, name, (setting, Set, value)));
        Assert.Equal(KafkaError.InvalidRequest, await AlterAsync(client, ConfigResources.BrokerType, "2", ("background.threads", Set, "5")));
    }

    [Fact]
    public async Task A_session_shorter_than_the_interval_between_heartbeats_is_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        Assert.Equal(KafkaError.InvalidConfig, await AlterAsync(client, ConfigResources.Group, "g", ("consumer.session.timeout.ms", Set, "8000"), ("consumer.heartbeat.interval.ms", Set, "8000")));
        Assert.Equal(KafkaError.None, await AlterAsync(client, ConfigResources.Group, "g", ("consumer.session.timeout.ms", Set, "8000")));
        Assert.Equal(KafkaError.InvalidConfig, await AlterAsync(client, ConfigResources.Group, "g", ("consumer.heartbeat.interval.ms", Set, "9000")));
    }

    [Fact]
    public async Task Settings_of_a_group_reach_its_members_also_after_a_restart()
    {
        string directory;
        await using (var broker = await TestBroker.StartAsync(keep: true))
        {
            directory = broker.Directory;
            await using var client = await broker.ConnectAsync();
            Assert.Equal(5_000, await IntervalAsync(client, "a/b"));
            Assert.Equal(KafkaError.None, await AlterAsync(client, ConfigResources.Group, "a/b", ("consumer.heartbeat.interval.ms", Set, "3000")));
            Assert.Equal(3_000, await IntervalAsync(client, "a/b"));
            Assert.Equal(5_000, await IntervalAsync(client, "b"));
        }
        await using (var broker = await TestBroker.StartAsync(directory: directory))
        {
            await using var client = await broker.ConnectAsync();
            Assert.Equal(3_000, await IntervalAsync(client, "a/b"));
            Assert.Equal(KafkaError.None, await AlterAsync(client, ConfigResources.Group, "a/b", ("consumer.heartbeat.interval.ms", Delete, null)));
            Assert.Equal(5_000, await IntervalAsync(client, "a/b"));
        }
    }

    [Fact]
    public async Task A_host_has_no_more_connections_than_it_may()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        Assert.Equal(KafkaError.None, await AlterAsync(client, ConfigResources.BrokerType, "", ("max.connections.per.ip", Set, "2")));
        await using (var second = await broker.ConnectAsync())
        {
            await DescribeAsync(second, ConfigResources.BrokerType, "1");
            await using var third = await broker.ConnectAsync();
            await Assert.ThrowsAnyAsync<IOException>(() => DescribeAsync(third, ConfigResources.BrokerType, "1"));
            // The broker's own setting, here one address's, goes before the default for all.
            Assert.Equal(KafkaError.None, await AlterAsync(client, ConfigResources.BrokerType, "1", ("max.connections.per.ip.overrides", Set, "::1:7, 127.0.0.1:3")));
            await using var fourth = await broker.ConnectAsync();
            await DescribeAsync(fourth, ConfigResources.BrokerType, "1");
        }
        Assert.Equal(KafkaError.None, await AlterAsync(client, ConfigResources.BrokerType, "1", ("max.connections.per.ip.overrides", Delete, null), ("max.connections.per.ip", Set, "1")));
        await using var fifth = await broker.ConnectAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => DescribeAsync(fifth, ConfigResources.BrokerType, "1"));
        Assert.Contains(broker.Logger.Lines, l => l.Text.Contains("max.connections.per.ip", StringComparison.Ordinal));
    }

    static async Task<int> IntervalAsync(RawClient client, string group)
        => (await client.CallAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(new()
        {
            GroupId = group, MemberId = $"m-{Guid.NewGuid()}", MemberEpoch = 0, RebalanceTimeoutMs = 60_000, SubscribedTopicNames = ["t"], TopicPartitions = [],
        }, 1)).HeartbeatIntervalMs;

    static async Task<KafkaError> AlterAsync(RawClient client, sbyte type, string name, params (string Name, sbyte Operation, string? Value)[] configs)
        => (KafkaError)(await client.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(new()
        {
            Resources = [new() { ResourceType = type, ResourceName = name, Configs = [.. configs.Select(c => new IncrementalAlterConfigsRequest.AlterableConfig { Name = c.Name, ConfigOperation = c.Operation, Value = c.Value })] }],
        }, 1)).Responses[0].ErrorCode;

    static async Task<Dictionary<string, (string? Value, ConfigSource Source)>> DescribeAsync(RawClient client, sbyte type, string name)
        => (await client.CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(new() { Resources = [new() { ResourceType = type, ResourceName = name }] }, 4))
            .Results[0].Configs.ToDictionary(c => c.Name, c => (c.Value, (ConfigSource)c.ConfigSource));
}
