using IotGateway.Connect.Configs.Binding;
using IotGateway.Connect.Configs.Json;
using IotGateway.Connect.Configs.Secrets;

namespace IotGateway.Connect.Configs;

/// <summary>Reads gateway.json. With errors in it, what could be read counts and the rest has its defaults.</summary>
internal static class GatewayReader
{
    const string Nameless = "gateway";

    public static (GatewayConfig Config, string Text) Read(string folder, Report report, Func<string, string?> environment)
    {
        var file = Path.Combine(folder, ConfigFolder.GatewayFile);
        if (!File.Exists(file))
        {
            var what = Directory.Exists(folder) ? $"There is no {ConfigFolder.GatewayFile}." : $"There is no configuration folder {Path.GetFullPath(folder)}.";
            report.Problems.Add(new(file, 0, 0, "", what, "Create it; the least is { \"name\": \"plant-north\" }."));
            return (new() { Name = Nameless }, "");
        }
        if (FileText.Read(file, report) is not { } text) return (new() { Name = Nameless }, "");
        if (ConfigReader.Read(file, text, report.Problems) is not { } root) return (new() { Name = Nameless }, text);

        new SecretResolver(folder, Folders(root), environment).Expand(root, "", report.Problems);
        var config = (GatewayConfig?)new ConfigBinder(report).Bind(root, ConfigSchema.Gateway) ?? new() { Name = Nameless };
        SecretChecks.WarnOfLiterals(root, ConfigSchema.Gateway, report);
        return (config.Name is null ? config with { Name = Nameless } : config, text);
    }

    // The folders secrets come from cannot be secrets themselves; what is wrong with them is found by the binding.
    static List<string> Folders(ConfigNode root)
        => [.. (root["secrets"]?["folders"]?.Items ?? []).Where(i => i.Kind == NodeKind.String && Path.IsPathFullyQualified(i.Text)).Select(i => i.Text)];
}
