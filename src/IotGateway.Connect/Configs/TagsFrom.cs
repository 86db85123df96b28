using IotGateway.Connect.Configs.Binding;
using IotGateway.Connect.Configs.Json;
using IotGateway.Connect.Configs.Secrets;

namespace IotGateway.Connect.Configs;

/// <summary>
/// Replaces <c>{ "tagsFrom": "meters.csv" }</c> in a list of things that have tags by the entries of that table, before binding:
/// what a cell says is then checked like what a file says, at the table's own line and column.
/// </summary>
internal sealed class TagsFrom(string folder, SecretResolver secrets, Report report)
{
    public const string Key = "tagsFrom";
    public const string Doc = "CSV file in the configuration folder: a column 'device', columns named like a device's options, and columns named like a tag's, 'tag' being its name.";

    /// <summary>Whether a list's elements may come from a table: they are records with a list of records named <c>tags</c>.</summary>
    public static bool Takes(OptionType item) => item.Schema?.Find("tags") is { Type: { Kind: OptionKind.List, Item.Kind: OptionKind.Object } };

    /// <summary>Expands every table below a node.</summary>
    public void Expand(ConfigNode node, ConfigSchema schema, string path)
    {
        foreach (var member in node.Members)
            if (schema.Find(member.Name) is { } option) Expand(member.Value, option.Type, JsonPath.Member(path, member.Name));
    }

    void Expand(ConfigNode node, OptionType type, string path)
    {
        if (type.Schema is { } schema) Expand(node, schema, path);
        if (type.Item is not { } item) return;
        if (node.Kind == NodeKind.List && Takes(item)) ExpandList(node, item.Schema!, path);
        for (var i = 0; i < node.Items.Count; i++) Expand(node.Items[i], item, JsonPath.Item(path, i));
        foreach (var member in node.Members) Expand(member.Value, item, JsonPath.Member(path, member.Name));
    }

    void ExpandList(ConfigNode list, ConfigSchema schema, string path)
    {
        for (var i = 0; i < list.Items.Count; i++)
        {
            if (list.Items[i][Key] is not { } named) continue;
            var at = JsonPath.Item(path, i);
            foreach (var other in list.Items[i].Members.Where(m => m.Name != Key))
                report.Error(other, JsonPath.Member(at, other.Name), $"Nothing may stand beside '{Key}'.", "Make it a column of the table.");
            var entries = Read(named, schema, JsonPath.Member(at, Key));
            list.Items.RemoveAt(i);
            list.Items.InsertRange(i, entries);
            i += entries.Count - 1;
        }
    }

    List<ConfigNode> Read(ConfigNode named, ConfigSchema schema, string path)
    {
        if (named.IsBroken) return [];
        if (named.Kind != NodeKind.String || named.Text.Length == 0 || named.Text.Contains('\0', StringComparison.Ordinal))
        {
            report.Error(named, path, $"Expected a file name such as \"meters.csv\", found {named.Found()}.");
            return [];
        }
        var home = Path.GetFullPath(folder);
        if (!Path.GetFullPath(named.Text, home).StartsWith(Path.TrimEndingDirectorySeparator(home) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            report.Error(named, path, $"The table '{named.Text}' is outside the configuration folder.", $"Move it into {home}.");
            return [];
        }
        var file = Path.Combine(folder, named.Text);
        if (!File.Exists(file))
        {
            report.Error(named, path, $"The table '{named.Text}' does not exist.", "Create it, or correct the name; it is looked for in the configuration folder.");
            return [];
        }
        if (FileText.Read(file, report) is not { } text) return [];
        var entries = new TableReader(file, schema, report).Read(text);
        foreach (var entry in entries) secrets.Expand(entry, "", report.Problems);
        return entries;
    }
}
