using System.CommandLine;
using Confluent.Kafka;

namespace IotGateway.Host.Cli;

/// <summary>The command line: one file per command in this folder. This is the process edge where exceptions become messages.</summary>
static class GatewayCli
{
    /// <summary>Time a command has to stop cleanly after SIGINT or SIGTERM before the process ends anyway.</summary>
    static readonly TimeSpan StopTime = TimeSpan.FromSeconds(12);

    static readonly OrderedDictionary<string, Func<Command>> Commands = new(StringComparer.Ordinal)
    {
        ["run"] = RunCommand.Make,
        ["demo"] = DemoCommand.Make,
        ["validate"] = ValidateCommand.Make,
        ["plugins"] = PluginsCommand.Make,
        ["test"] = ProbeCommands.Test,
        ["browse"] = ProbeCommands.Browse,
        ["read"] = ProbeCommands.Read,
        ["topics"] = TopicsCommand.Make,
        ["consume"] = ConsumeCommand.Make,
        ["produce"] = ProduceCommand.Make,
        ["users"] = UsersCommand.Make,
        ["command"] = SendCommand.Make,
        ["status"] = StatusCommand.Make,
        ["log"] = LogCommand.Make,
        ["bench"] = BenchCommand.Make,
    };

    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("IotGateway: devices → durable local Kafka log → any Kafka client, and commands back.");
        // The one that is asked for; all of them for help, suggestions and mistakes.
        if (args is [var name, ..] && Commands.TryGetValue(name, out var asked)) root.Add(asked());
        else foreach (var make in Commands.Values) root.Add(make());
        var parsed = root.Parse(args);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = StopTime })
            .ConfigureAwait(false);
        return parsed.Errors.Count > 0 ? ExitCode.Usage : code;
    }

    static async Task<int> SayAsync(string message, int code)
    {
        await Console.Error.WriteLineAsync(message).ConfigureAwait(false);
        return code;
    }

    /// <summary>Runs a command's body; what a user can cause becomes one line on standard error.</summary>
    /// <param name="body">The command.</param>
    /// <param name="interrupted">What the process returns when it is told to end before the body is done.</param>
    public static async Task<int> GuardAsync(Func<Task<int>> body, int interrupted = ExitCode.Failed)
    {
        try
        {
            return await body().ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (e.InnerException is TimeoutException)
        {
            return await SayAsync("The gateway did not answer in time.", ExitCode.Failed).ConfigureAwait(false); // HttpClient's way to say so
        }
        catch (OperationCanceledException)
        {
            return interrupted;
        }
        catch (CliException e)
        {
            return await SayAsync(e.Message, e.Code).ConfigureAwait(false);
        }
        catch (KafkaException e)
        {
            return await SayAsync(KafkaClients.Explain(e.Error), ExitCode.Failed).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or UnauthorizedAccessException)
        {
            return await SayAsync(e.Message, ExitCode.Failed).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            return await SayAsync($"A fault in the program, please report it: {e}", ExitCode.Failed).ConfigureAwait(false);
        }
    }
}
