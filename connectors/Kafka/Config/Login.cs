namespace IotGateway.Connectors.Kafka.Config;

/// <summary>How user name and password are shown to the cluster (SASL mechanism).</summary>
public enum Login
{
    /// <summary>In clear; only over TLS.</summary>
    Plain,

    /// <summary>Challenge and response with SHA-256.</summary>
    ScramSha256,

    /// <summary>Challenge and response with SHA-512.</summary>
    ScramSha512,
}
