using IotGateway.Connect.Plugins;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Host.Cli;

/// <summary>Where plugins are: <c>IOTGATEWAY_PLUGINS</c>, else <c>plugins</c> beside the program.</summary>
static class PluginFolder
{
    public static string Location => Path.GetFullPath(Environment.GetEnvironmentVariable("IOTGATEWAY_PLUGINS") is { Length: > 0 } given
        ? given : Path.Combine(AppContext.BaseDirectory, "plugins"));

    public static PluginCatalog Load(ILogger? logger = null) => PluginCatalog.Load(Location, logger ?? NullLogger.Instance);
}
