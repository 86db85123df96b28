using Confluent.Kafka;
using IotGateway.Connectors.Kafka.Config;

namespace IotGateway.Connectors.Kafka.Sink;

/// <summary>Turns the configuration into the client library's settings. Pure.</summary>
static class ClientSettings
{
    /// <summary>
    /// Settings of an idempotent producer that never gives up a record by itself: giving up is the sink's decision, together with the
    /// producer, because a record given up between two others would let them overtake it.
    /// </summary>
    /// <param name="config">The configuration.</param>
    /// <param name="clientId">Client id.</param>
    /// <param name="maxMessage">Largest record batch every known target topic takes, bytes.</param>
    /// <param name="single">One record per request, to find the one that is refused.</param>
    public static ProducerConfig Producer(KafkaConfig config, string clientId, int maxMessage, bool single)
    {
        var settings = new ProducerConfig
        {
            BootstrapServers = config.Endpoint.ToString(),
            ClientId = clientId,
            Acks = Acks.All,
            EnableIdempotence = true,
            MaxInFlight = 5,
            MessageTimeoutMs = 0,
            LingerMs = config.Linger.TotalMilliseconds,
            CompressionType = Enum.Parse<CompressionType>(config.Compression.ToString()),
            Partitioner = Partitioner.Murmur2Random,
            QueueBufferingMaxMessages = 1_000_000,
            MessageMaxBytes = 256 << 20,      // the topic's own limit is looked up; the library's default would hide it
            BatchSize = Math.Min(1_000_000, maxMessage),
            ReconnectBackoffMaxMs = 5_000,
            SocketKeepaliveEnable = true,
            EnableDeliveryReports = true,
            DeliveryReportFields = "status",
            SecurityProtocol = (config.Tls, config.Username) switch
            {
                (null, null) => SecurityProtocol.Plaintext,
                (null, _) => SecurityProtocol.SaslPlaintext,
                (_, null) => SecurityProtocol.Ssl,
                _ => SecurityProtocol.SaslSsl,
            },
        };
        if (config.Tls is { } tls)
        {
            settings.SslEndpointIdentificationAlgorithm = SslEndpointIdentificationAlgorithm.Https;
            if (tls.Ca is not null) settings.SslCaLocation = tls.Ca;
            if (tls.Certificate is not null) settings.SslCertificateLocation = tls.Certificate;
            if (tls.Key is not null) settings.SslKeyLocation = tls.Key;
        }
        if (config.Username is not null)
        {
            settings.SaslMechanism = Enum.Parse<SaslMechanism>(config.Login.ToString());
            settings.SaslUsername = config.Username;
            settings.SaslPassword = config.Password;
        }
        foreach (var (name, value) in config.Client)
            if (ClientOptions.Problem(name) is { } problem) throw new ArgumentException(problem, nameof(config));
            else settings.Set(name, value);
        if (single)
        {
            settings.BatchNumMessages = 1;
            settings.LingerMs = 0;
        }
        return settings;
    }
}
