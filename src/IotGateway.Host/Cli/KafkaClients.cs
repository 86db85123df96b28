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
    static IReadOnlyDictionary<string, string>? _properties;
    static volatile string? _refused;

    /// <summary>Properties for all clients made from now on; null for none.</summary>
    public static void Use(IReadOnlyDictionary<string, string>? properties) => _properties = properties;

    /// <summary>An error as the user meets it: that nobody answers is no riddle.</summary>
    public static string Explain(Error error) => IsRefusal(error) || (_refused is not null && error.Code is ErrorCode.Local_Transport or ErrorCode.Local_AllBrokersDown or ErrorCode.Local_TimedOut or ErrorCode.Local_MsgTimedOut)
        ? $"The Kafka broker at {_bootstrap} does not let this command in: {_refused ?? error.Reason}"
        : error.Code is ErrorCode.Local_Transport or ErrorCode.Local_AllBrokersDown or ErrorCode.Local_Resolve
        ? $"No Kafka broker answers at {_bootstrap}. Is the gateway running? --config or --broker says which one is meant; --client-config, how to log in where that is asked for."
        : error.Code is ErrorCode.Local_TimedOut or ErrorCode.Local_MsgTimedOut
        ? $"The Kafka broker at {_bootstrap} did not take it in time. './gateway status' says whether the gateway runs and its log accepts data."
        : error.Reason;

    public static IProducer<byte[]?, byte[]?> Producer(string bootstrap) => Make(() => new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig(Properties())
    {
        BootstrapServers = _bootstrap = bootstrap,
        EnableIdempotence = true,
        LingerMs = 5,
        MessageTimeoutMs = 15_000,
        SocketConnectionSetupTimeoutMs = 5_000,
    }).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, e) => Remember(e)).Build());

    public static IConsumer<byte[]?, byte[]?> Consumer(string bootstrap, string? group) => Make(() => new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig(Properties())
    {
        BootstrapServers = _bootstrap = bootstrap,
        GroupId = group ?? "iotgateway-cli",
        EnableAutoCommit = group is not null,
        EnablePartitionEof = true,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        AllowAutoCreateTopics = false,
    }).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, e) =>
    {
        Remember(e);
        // It goes on trying by itself; whoever looks at an empty screen should know why.
        if ((e.Code == ErrorCode.Local_AllBrokersDown || IsRefusal(e)) && Interlocked.Exchange(ref _told, 1) == 0) Console.Error.WriteLine(Explain(e));
    }).Build());

    public static IAdminClient Admin(string bootstrap) => Make(() => new AdminClientBuilder(new AdminClientConfig(Properties())
    {
        BootstrapServers = _bootstrap = bootstrap,
        SocketConnectionSetupTimeoutMs = 5_000,
    }).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, e) => Remember(e)).Build());

    /// <summary>A property the client library does not know is the user's mistake.</summary>
    static T Make<T>(Func<T> build)
    {
        try
        {
            return build();
        }
        catch (Exception problem) when (_properties is not null && problem is InvalidOperationException or ArgumentException)
        {
            throw new CliException($"--client-config: {problem.Message}", ExitCode.Usage);
        }
    }

    static bool IsRefusal(Error error) => error.Code is ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed or ErrorCode.Local_Ssl;

    static void Remember(Error error)
    {
        if (IsRefusal(error)) _refused = error.Reason;
    }

    /// <summary>A copy: the clients' configurations write into what they are given.</summary>
    static Dictionary<string, string> Properties() => _properties is null ? [] : new(_properties);
}
