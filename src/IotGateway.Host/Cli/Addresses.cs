using IotGateway.Connect.Configs;
using IotGateway.Connect.Plugins;
using IotGateway.Host.Hosting;

namespace IotGateway.Host.Cli;

/// <summary>Where a running gateway is to be found: as told, as its run file says (ports may be chosen freely), or as configured.</summary>
static class Addresses
{
    public static string Broker(string? given, DirectoryInfo config) => given ?? RunFile.Read(config.FullName)?.Broker ?? Gateway(config)?.Broker.Listen ?? new BrokerConfig().Listen;

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
