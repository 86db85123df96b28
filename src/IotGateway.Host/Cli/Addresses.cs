using IotGateway.Connect.Configs;
using IotGateway.Connect.Plugins;
using IotGateway.Host.Hosting;

namespace IotGateway.Host.Cli;

/// <summary>Where a running gateway is to be found: as told, as its run file says (ports may be chosen freely), or as configured.</summary>
static class Addresses
{
    /// <summary>Kafka bootstrap address; the commands' clients get the properties of the file.</summary>
    /// <param name="given">--broker.</param>
    /// <param name="config">--config.</param>
    /// <param name="client">--client-config.</param>
    /// <exception cref="CliException">The gateway asks for a login or TLS, and no properties were given.</exception>
    public static string Broker(string? given, DirectoryInfo config, FileInfo? client)
    {
        const string Servers = "bootstrap.servers";
        var properties = client is null ? null : ClientProperties.Read(client);
        KafkaClients.Use(properties);
        if ((given ?? properties?.GetValueOrDefault(Servers)) is { } address) return address;
        var gateway = Gateway(config);
        if (properties is null && gateway?.Broker is { } broker && (broker.Tls is not null || broker.Sasl is not null))
        {
            var protocol = (broker.Sasl is null ? "" : "SASL_") + (broker.Tls is null ? "PLAINTEXT" : "SSL");
            throw new CliException($"The gateway's broker speaks {protocol}: give --client-config FILE with lines such as security.protocol={protocol}"
                + (broker.Sasl is { } sasl ? $", sasl.mechanism={string.Join(" or ", sasl.Mechanisms)}, sasl.username=…, sasl.password=…" : "") + (broker.Tls is null ? "" : ", ssl.ca.location=…") + ".", ExitCode.Usage);
        }
        return RunFile.Read(config.FullName)?.Broker ?? gateway?.Broker.Listen ?? new BrokerConfig().Listen;
    }

    public static Uri Rest(string? given, DirectoryInfo config)
    {
        var address = given ?? RunFile.Read(config.FullName)?.Rest ?? Gateway(config)?.Rest.Listen ?? new RestConfig().Listen;
        return Uri.TryCreate(address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri : throw new CliException($"'{address}' is no address of a REST interface; write 127.0.0.1:8083.", ExitCode.Usage);
    }

    /// <summary>The gateway part of the configuration alone; null when there is none. Connectors are not looked at.</summary>
    public static GatewayConfig? Gateway(DirectoryInfo config)
        => File.Exists(Path.Combine(config.FullName, "gateway.json")) ? ConfigFolder.Load(config.FullName, PluginCatalog.Of()).Gateway : null;
}
