using System.CommandLine;
using IotGateway.Connect.Configs;
using IotGateway.Host.Hosting;

namespace IotGateway.Host.Cli;

/// <summary><c>run</c>: the gateway itself, until SIGTERM or SIGINT.</summary>
static class RunCommand
{
    public static Command Make()
    {
        var (config, data) = (CommonOptions.Config(), CommonOptions.Data());
        var format = new Option<string>("--log") { Description = "Form of the log on standard output: text or json.", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("run", "Runs the gateway until it is told to stop.") { config, data, format };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            using var loggers = GatewayLogging.Make(r.GetValue(format) == "json");
            var plugins = PluginFolder.Load(loggers.CreateLogger("IotGateway.Plugins"));
            var loaded = ConfigFolder.Load(r.GetValue(config)!.FullName, plugins);
            ValidateCommand.Report(loaded, Console.Error);
            if (loaded.HasErrors) throw new CliException("Nothing was started: the configuration is not valid.", ExitCode.Usage);
            await using var gateway = await GatewayProcess.StartAsync(loaded, plugins, r.GetValue(data)!.FullName, loggers, ct).ConfigureAwait(false);
            return await gateway.WaitAsync(ct).ConfigureAwait(false) ? ExitCode.Done : ExitCode.Failed;
        }, interrupted: ExitCode.Done));
        return command;
    }
}
