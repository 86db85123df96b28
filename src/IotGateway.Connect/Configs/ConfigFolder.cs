using IotGateway.Connect.Configs.Binding;
using IotGateway.Connect.Configs.Json;
using IotGateway.Connect.Configs.Secrets;
using IotGateway.Connect.Plugins;

namespace IotGateway.Connect.Configs;

/// <summary>
/// Reads a configuration folder: <c>gateway.json</c> and <c>connectors/*.json</c>. Pure but for reading these files, the tables and
/// the secrets they name. Finds every problem of every file at once; throws for none of them. Callable from any thread.
/// </summary>
public static class ConfigFolder
{
    /// <summary>Name of the gateway's own file.</summary>
    public const string GatewayFile = "gateway.json";

    /// <summary>Name of the folder with a file per connector.</summary>
    public const string ConnectorsFolder = "connectors";

    /// <summary>Reads and checks everything.</summary>
    public static LoadedConfig Load(string folder, PluginCatalog plugins) => Load(folder, plugins, Environment.GetEnvironmentVariable);

    internal static LoadedConfig Load(string folder, PluginCatalog plugins, Func<string, string?> environment)
    {
        var report = new Report();
        var (gateway, gatewayText) = GatewayReader.Read(folder, report, environment);
        var secrets = new SecretResolver(folder, gateway.Secrets.Folders, environment);
        var reader = new ConnectorReader(folder, plugins, secrets);
        var read = Files(folder, report).Select(file => reader.Read(file, null, report)).OfType<ReadConnector>().ToList();
        var names = new DeviceNames(report);
        foreach (var connector in read) names.Check(connector);
        return new()
        {
            Folder = Path.GetFullPath(folder),
            Gateway = gateway,
            GatewayText = gatewayText,
            Connectors = [.. read.Where(c => c.IsValid).Select(c => c.Config)],
            Problems = Sort(report.Problems),
        };
    }

    /// <summary>Reads and checks one connector among the others, for hot reload and REST.</summary>
    /// <param name="folder">The configuration folder.</param>
    /// <param name="name">The connector's name; its file is <c>connectors/NAME.json</c>.</param>
    /// <param name="plugins">The plugins.</param>
    /// <param name="others">The configuration in force: device names must stay unique against it. The connector's own entry is left out.</param>
    /// <param name="text">The text to check instead of the file's; null: read the file.</param>
    public static LoadedConnector LoadConnector(string folder, string name, PluginCatalog plugins, LoadedConfig others, string? text = null)
    {
        var report = new Report();
        var secrets = new SecretResolver(folder, others.Gateway.Secrets.Folders, Environment.GetEnvironmentVariable);
        var file = Path.Combine(folder, ConnectorsFolder, name + ".json");
        var read = new ConnectorReader(folder, plugins, secrets).Read(file, text, report);
        if (read is not null)
        {
            var names = new DeviceNames(report);
            foreach (var other in others.Connectors.Where(c => c.Name != name)) names.Add(other);
            names.Check(read);
        }
        return new(read is { IsValid: true } ? read.Config : null, Sort(report.Problems));
    }

    static IEnumerable<string> Files(string folder, Report report)
    {
        var connectors = Path.Combine(folder, ConnectorsFolder);
        if (!Directory.Exists(connectors)) return [];
        try
        {
            // Editors leave hidden files behind.
            return Directory.GetFiles(connectors, "*.json").Where(f => Path.GetFileName(f)[0] is not ('.' or '#')).Order(StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Problems.Add(new(connectors, 0, 0, "", $"The folder cannot be read: {e.Message}", "Let the gateway's user read it."));
            return [];
        }
    }

    static List<ConfigProblem> Sort(IEnumerable<ConfigProblem> problems)
        => [.. problems.Distinct().OrderBy(p => Path.GetFileName(p.File) == GatewayFile ? 0 : 1).ThenBy(p => p.File, StringComparer.Ordinal).ThenBy(p => p.Line).ThenBy(p => p.Column)];
}
