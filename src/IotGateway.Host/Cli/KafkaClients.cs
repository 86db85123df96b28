using Confluent.Kafka;

namespace IotGateway.Host.Cli;

/// <summary>Kafka clients for the commands. librdkafka's own log lines are kept off the screen: errors reach the user as exceptions.</summary>
static class KafkaClients
{
    /// <summary>Longest wait for an answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Where the clients last made were to connect to; a command talks to one place.</summary>
    static string? _bootstrap;
    static int _told;

    /// <summary>An error as the user meets it: that nobody answers is no riddle.</summary>
    public static string Explain(Error error) => error.Code is ErrorCode.Local_Transport or ErrorCode.Local_AllBrokersDown or ErrorCode.Local_TimedOut or ErrorCode.Local_MsgTimedOut or ErrorCode.Local_Resolve
        ? $"No Kafka broker answers at {_bootstrap}. Is the gateway running? --config or --broker says which one is meant."
        : error.Reason;

    public static IProducer<byte[]?, byte[]?> Producer(string bootstrap) => new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig
    {
        BootstrapServers = _bootstrap = bootstrap,
        EnableIdempotence = true,
        LingerMs = 5,
        MessageTimeoutMs = 15_000,
        SocketConnectionSetupTimeoutMs = 5_000,
    }).SetLogHandler(static (_, _) => { }).Build();

    public static IConsumer<byte[]?, byte[]?> Consumer(string bootstrap, string? group) => new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
    {
        BootstrapServers = _bootstrap = bootstrap,
        GroupId = group ?? "iotgateway-cli",
        EnableAutoCommit = group is not null,
        EnablePartitionEof = true,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        AllowAutoCreateTopics = false,
    }).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, e) =>
    {
        // It goes on trying by itself; whoever looks at an empty screen should know why.
        if (e.Code == ErrorCode.Local_AllBrokersDown && Interlocked.Exchange(ref _told, 1) == 0) Console.Error.WriteLine(Explain(e));
    }).Build();

    public static IAdminClient Admin(string bootstrap) => new AdminClientBuilder(new AdminClientConfig
    {
        BootstrapServers = _bootstrap = bootstrap,
        SocketConnectionSetupTimeoutMs = 5_000,
    }).SetLogHandler(static (_, _) => { }).Build();
}
