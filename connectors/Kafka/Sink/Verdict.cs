using Confluent.Kafka;
using IotGateway.Connectors.Kafka.Config;
using IotGateway.Sdk;

namespace IotGateway.Connectors.Kafka.Sink;

/// <summary>What an error of the client library means for a record, and for the connector. Pure.</summary>
static class Verdict
{
    /// <summary>Whether a request was refused because of a record in it; alone in a request, it is that record.</summary>
    public static bool IsOfRecord(ErrorCode code) => code is ErrorCode.MsgSizeTooLarge or ErrorCode.InvalidRecord or ErrorCode.InvalidMsg
        or ErrorCode.InvalidMsgSize or ErrorCode.RecordListTooLarge or ErrorCode.InvalidTimestamp;

    /// <summary>Whether the record itself is fine but shared a request with one that is not.</summary>
    public static bool IsOfNeighbour(ErrorCode code) => code == ErrorCode.Local_InvalidDifferentRecord;

    /// <summary>The error as one a human must act on, or null when trying again may help.</summary>
    public static PermanentException? Permanent(Error error, KafkaConfig config, string? topic = null) => error.Code switch
    {
        ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed
            => new($"{config.Endpoint} refuses user '{config.Username}': {error.Reason} Check \"username\", \"password\" and \"login\"."),
        ErrorCode.UnsupportedSaslMechanism or ErrorCode.IllegalSaslState
            => new($"{config.Endpoint} does not offer \"login\": \"{config.Login}\": {error.Reason}"),
        ErrorCode.TopicAuthorizationFailed
            => new($"{config.Endpoint} does not let user '{config.Username ?? "anonymous"}' write topic '{topic}': grant WRITE and DESCRIBE (and CREATE, unless it exists) on it."),
        ErrorCode.ClusterAuthorizationFailed
            => new($"{config.Endpoint} does not let user '{config.Username ?? "anonymous"}' write: grant IDEMPOTENT_WRITE on the cluster, or WRITE on the topics with a cluster of Kafka 3.0 or later."),
        _ => null,
    };
}
