using System.CommandLine;

namespace IotGateway.Host.Cli;

/// <summary>Options that several commands share. Each call makes a new object: a command owns its options.</summary>
static class CommonOptions
{
    public static Option<DirectoryInfo> Config() => new("--config")
    {
        Description = "Configuration folder (gateway.json, connectors/*.json).",
        DefaultValueFactory = _ => new(Environment.GetEnvironmentVariable("IOTGATEWAY_CONFIG") ?? "config"),
    };

    public static Option<DirectoryInfo> Data() => new("--data")
    {
        Description = "Data folder: the log, its write-ahead log and all state.",
        DefaultValueFactory = _ => new(Environment.GetEnvironmentVariable("IOTGATEWAY_DATA") ?? "data"),
    };

    public static Option<bool> Json() => new("--json") { Description = "Output for programs." };

    public static Option<string?> Broker() => new("--broker")
    {
        Description = "Kafka bootstrap address; default: the gateway's own, from its configuration.",
    };

    public static Option<FileInfo?> ClientConfig() => new("--client-config")
    {
        Description = "File of librdkafka properties (security.protocol, sasl.username, ssl.ca.location, …) for a broker that asks for a login or TLS.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("IOTGATEWAY_CLIENT_CONFIG") is { Length: > 0 } file ? new(file) : null,
    };

    public static Option<string?> Rest() => new("--rest") { Description = "Address of the gateway's REST interface; default: from its configuration." };
}
