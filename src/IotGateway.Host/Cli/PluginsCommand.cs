using System.CommandLine;
using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Connect.Plugins;
using Spectre.Console;

namespace IotGateway.Host.Cli;

/// <summary><c>plugins [NAME]</c>: what connectors there are, and the options of one; also writes schemas, samples and README tables.</summary>
static class PluginsCommand
{
    public static Command Make()
    {
        var name = new Argument<string?>("name") { Description = "Plugin name.", Arity = ArgumentArity.ZeroOrOne };
        var schema = new Option<bool>("--schema") { Description = "Print the JSON Schema." };
        var sample = new Option<bool>("--sample") { Description = "Print a sample configuration." };
        var readme = new Option<bool>("--readme") { Description = "Print the table of options in Markdown." };
        var write = new Option<DirectoryInfo?>("--write-schemas") { Description = "Write the JSON Schemas of all plugins and of gateway.json into a folder." };
        var json = CommonOptions.Json();
        var command = new Command("plugins", "Lists connector plugins, or the options of one.") { name, schema, sample, readme, write, json };
        command.SetAction((r, _) => GatewayCli.GuardAsync(() =>
        {
            var catalog = PluginFolder.Load();
            if (r.GetValue(write) is { } folder) return Task.FromResult(WriteSchemas(catalog, folder));
            if (r.GetValue(name) is not { } wanted) return Task.FromResult(List(catalog, r.GetValue(json)));
            if (wanted == "gateway" && r.GetValue(schema)) { Console.Write(SchemaWriter.GatewayJsonSchema()); return Task.FromResult(ExitCode.Done); }
            var plugin = catalog.Find(wanted) ?? throw new CliException($"There is no plugin '{wanted}'. Known: {string.Join(", ", catalog.All.Select(p => p.Info.Name))}.", ExitCode.Usage);
            if (r.GetValue(schema)) Console.Write(SchemaWriter.JsonSchema(plugin));
            else if (r.GetValue(sample)) Console.Write(SchemaWriter.Sample(plugin));
            else if (r.GetValue(readme)) Console.Write(SchemaWriter.ReadmeTable(plugin));
            else Show(plugin);
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    static int List(PluginCatalog catalog, bool json)
    {
        var all = catalog.All;
        if (json) Console.WriteLine(JsonSerializer.Serialize(all.Select(p => new { name = p.Info.Name, version = p.Version.ToString(), roles = p.Info.Roles.ToString(), summary = p.Info.Summary, folder = p.Folder })));
        else
        {
            var table = new Table().Border(TableBorder.None).AddColumns("name", "version", "does", "summary");
            foreach (var p in all) table.AddRow(Markup.Escape(p.Info.Name), p.Version.ToString(3), p.Info.Roles.ToString(), Markup.Escape(p.Info.Summary));
            Screen.Out.Write(table);
        }
        foreach (var problem in catalog.Problems) Console.Error.WriteLine(problem);
        return catalog.Problems.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    static void Show(Plugin plugin)
    {
        Console.WriteLine($"{plugin.Info.Name} {plugin.Version.ToString(3)} ({plugin.Info.Roles}): {plugin.Info.Summary}");
        Console.WriteLine();
        Console.Write(SchemaWriter.ReadmeTable(plugin));
        Console.WriteLine();
        Console.Write(SchemaWriter.Sample(plugin));
    }

    static int WriteSchemas(PluginCatalog catalog, DirectoryInfo folder)
    {
        folder.Create();
        File.WriteAllText(Path.Combine(folder.FullName, "gateway.schema.json"), SchemaWriter.GatewayJsonSchema());
        foreach (var plugin in catalog.All) File.WriteAllText(Path.Combine(folder.FullName, plugin.Info.Name + ".schema.json"), SchemaWriter.JsonSchema(plugin));
        return ExitCode.Done;
    }
}
