using System.CommandLine;
using Confluent.Kafka;

namespace IotGateway.Host.Cli;

/// <summary>The command line: one file per command in this folder. This is the process edge where exceptions become messages.</summary>
static class GatewayCli
{
    /// <summary>Time a command has to stop cleanly after SIGINT or SIGTERM before the process ends anyway.</summary>
    static readonly TimeSpan StopTime = TimeSpan.FromSeconds(12);

    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("IotGateway: devices → durable local Kafka log → any Kafka client, and commands back.")
        {
            RunCommand.Make(),
            DemoCommand.Make(),
            ValidateCommand.Make(),
            PluginsCommand.Make(),
            ProbeCommands.Test(),
            ProbeCommands.Browse(),
            ProbeCommands.Read(),
            TopicsCommand.Make(),
            ConsumeCommand.Make(),
            ProduceCommand.Make(),
            SendCommand.Make(),
            StatusCommand.Make(),
            LogCommand.Make(),
            BenchCommand.Make(),
        };
        var parsed = root.Parse(args);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = StopTime })
            .ConfigureAwait(false);
        return parsed.Errors.Count > 0 ? ExitCode.Usage : code;
    }

    /// <summary>Runs a command's body; what a user can cause becomes one line on standard error.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> body)
    {
        try
        {
            return await body().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Done;
        }
        catch (CliException e)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return e.Code;
        }
        catch (Exception e) when (e is KafkaException or IOException or HttpRequestException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return ExitCode.Failed;
        }
    }
}
