using IotGateway.Connect.Configs.Binding;
using IotGateway.Connect.Configs.Json;
using IotGateway.Connect.Configs.Secrets;
using IotGateway.Connect.Plugins;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Configs;

/// <summary>A connector as read, with what later checks need.</summary>
internal sealed record ReadConnector(ConnectorConfig Config, ConfigNode Root, IReadOnlyList<TagDefinition> Tags)
{
    /// <summary>False once anything was found wrong with it.</summary>
    public bool IsValid { get; set; }
}

/// <summary>Reads and checks one connector's file by itself. Everything wrong goes to the report.</summary>
internal sealed class ConnectorReader(string folder, PluginCatalog plugins, SecretResolver secrets)
{
    static readonly ConfigSchema CommonSchema = ConfigSchema.For(typeof(CommonOptions));

    /// <summary>Null when there is nothing that later checks could look at.</summary>
    public ReadConnector? Read(string file, string? text, Report report)
    {
        var before = report.Errors;
        var name = Path.GetFileNameWithoutExtension(file);
        CheckName(file, name, report);
        if ((text ?? FileText.Read(file, report)) is not { } raw || ConfigReader.Read(file, raw, report.Problems) is not { } root) return null;
        if (root.Kind != NodeKind.Object)
        {
            report.Error(root, "", $"A connector's file is one object, found {root.Found()}.", "Write { \"connector\": \"…\", … }.");
            return null;
        }
        secrets.Expand(root, "", report.Problems);
        if (FindPlugin(root, report) is not { } plugin)
        {
            // The runtime's own options can be checked without the plugin.
            var binder = new ConfigBinder(report);
            _ = binder.Bind(root, typeof(CommonOptions), [.. CommonSchema.Options.Skip(1)], keys: null, "");
            return null;
        }
        new TagsFrom(folder, secrets, report).Expand(root, plugin.Schema, "");
        var config = new ConfigBinder(report).Bind(root, plugin.ConfigType, [.. plugin.Schema.Options.Where(o => !o.Common)], plugin.Schema, "")!;
        var common = BindCommon(root, plugin, report);
        SecretChecks.WarnOfLiterals(root, plugin.Schema, report);
        if (report.Errors > before) return null;

        var tags = TagChecks.List(plugin, config, root, common, report);
        var read = new ReadConnector(new(name, file, plugin, common, config, raw, CanonicalJson.Hash(root)), root, tags);
        read.IsValid = report.Errors == before;
        return read;
    }

    // What a connector declares itself is reported once, against its own declaration; the common option then follows where it can.
    static CommonOptions BindCommon(ConfigNode root, Plugin plugin, Report report)
    {
        var common = plugin.Schema.Options.Where(o => o.Common).ToList();
        var shared = CommonSchema.Options.Where(o => plugin.Schema.Find(o.Name) is { Common: false }).ToList();
        var bound = (CommonOptions)new ConfigBinder(report).Bind(root, typeof(CommonOptions), common, keys: null, "")!;
        new ConfigBinder(new Report()).BindInto(bound, root, shared);
        return bound;
    }

    static void CheckName(string file, string name, Report report)
    {
        if (name.Trim() != name || name.Length is 0 or > 200 || name.Any(char.IsControl))
            report.Problems.Add(new(file, 0, 0, "", "The file's name makes no connector name.", "Use 1 to 200 characters without white space at the ends."));
        else if (name.StartsWith("gateway.", StringComparison.Ordinal))
            report.Problems.Add(new(file, 0, 0, "", "Names that begin with 'gateway.' are the gateway's own topics.", "Rename the file."));
    }

    Plugin? FindPlugin(ConfigNode root, Report report)
    {
        var option = CommonSchema.Find("connector")!;
        if (root["connector"] is not { } given)
            report.Error(root, "connector", "'connector' is missing. " + option.Doc, Known());
        else if (given.Kind != NodeKind.String)
            report.Error(given, "connector", $"Expected a connector's name, found {given.Found()}.", Known());
        else if (given.IsBroken)
            return null;
        else if (plugins.Find(given.Text) is { } plugin)
            return Usable(plugin, given, report) ? plugin : null;
        else if (plugins.ProblemOf(given.Text) is { } problem)
            report.Error(given, "connector", $"Plugin '{given.Text}' cannot be used: {problem.Message}", problem.Fix);
        else
            report.Error(given, "connector", $"There is no plugin '{given.Text}'.", plugins.All.Count == 0
                ? "There are no plugins at all: name their folder in IOTGATEWAY_PLUGINS, or build the connectors."
                : Nearest.Suggest(given.Text, [.. plugins.All.Select(p => p.Info.Name)]));
        return null;
    }

    static bool Usable(Plugin plugin, ConfigNode at, Report report)
    {
        try
        {
            _ = plugin.Schema;
            return true;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            report.Error(at, "connector", $"The options of plugin '{plugin.Info.Name}' cannot be read: {e.InnerException?.Message ?? e.Message}", "This is a mistake in the plugin; tell its author.");
            return false;
        }
    }

    string Known() => "Known are: " + string.Join(", ", plugins.All.Select(p => p.Info.Name)) + ".";
}
