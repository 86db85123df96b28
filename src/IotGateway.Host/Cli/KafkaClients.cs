using Confluent.Kafka;

namespace IotGateway.Host.Cli;

/// <summary>Kafka clients for the commands. librdkafka's own log lines are kept off the screen: errors reach the user as exceptions.</summary>
static class KafkaClients
{
    public static IProducer<byte[]?, byte[]?> Producer(string bootstrap) => new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig
    {
        BootstrapServers = bootstrap,
        EnableIdempotence = true,
        LingerMs = 5,
        MessageTimeoutMs = 15_000,
        SocketConnectionSetupTimeoutMs = 5_000,
    }).SetLogHandler(static (_, _) => { }).Build();

    public static IConsumer<byte[]?, byte[]?> Consumer(string bootstrap, string? group) => new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
    {
        BootstrapServers = bootstrap,
        GroupId = group ?? "iotgateway-cli",
        EnableAutoCommit = group is not null,
        EnablePartitionEof = true,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        AllowAutoCreateTopics = false,
    }).SetLogHandler(static (_, _) => { }).Build();

    public static IAdminClient Admin(string bootstrap) => new AdminClientBuilder(new AdminClientConfig
    {
        BootstrapServers = bootstrap,
        SocketConnectionSetupTimeoutMs = 5_000,
    }).SetLogHandler(static (_, _) => { }).Build();
}
