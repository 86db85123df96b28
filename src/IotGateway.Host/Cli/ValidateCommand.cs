using System.CommandLine;
using System.Text.Json;
using IotGateway.Connect.Configs;

namespace IotGateway.Host.Cli;

/// <summary><c>validate</c>: every problem of every configuration file at once; touches nothing but these files.</summary>
static class ValidateCommand
{
    public static Command Make()
    {
        var (config, json) = (CommonOptions.Config(), CommonOptions.Json());
        var command = new Command("validate", "Checks the configuration and says everything that is wrong with it.") { config, json };
        command.SetAction((r, _) => GatewayCli.GuardAsync(() => Task.FromResult(Run(r.GetValue(config)!, r.GetValue(json)))));
        return command;
    }

    static int Run(DirectoryInfo folder, bool json)
    {
        var loaded = ConfigFolder.Load(folder.FullName, PluginFolder.Load());
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(loaded.Problems.Select(p => new
            {
                file = p.File, line = p.Line, column = p.Column, path = p.Path, message = p.Message, fix = p.Fix,
                severity = p.Severity == Severity.Error ? "error" : "warning",
            })));
        }
        else
        {
            Report(loaded, Console.Out);
            if (!loaded.HasErrors) Console.WriteLine($"Valid: gateway '{loaded.Gateway.Name}' with {loaded.Connectors.Count} connector(s): {string.Join(", ", loaded.Connectors.Select(c => c.Name))}.");
        }
        return loaded.HasErrors ? ExitCode.Usage : ExitCode.Done;
    }

    /// <summary>Writes the problems, paths relative to the current folder where that is shorter.</summary>
    public static void Report(LoadedConfig loaded, TextWriter to)
    {
        foreach (var problem in loaded.Problems)
        {
            var relative = Path.GetRelativePath(Environment.CurrentDirectory, problem.File);
            to.WriteLine((relative.StartsWith("..", StringComparison.Ordinal) ? problem : problem with { File = relative }).ToString());
        }
    }
}
