using IotGateway.Broker.Tests.Clients;

namespace IotGateway.Broker.Tests;

/// <summary>Runs the tests, or is the process that <see cref="ChildBroker"/> starts and kills.</summary>
static class Program
{
    static Task<int> Main(string[] args)
    {
        if (Environment.GetEnvironmentVariable(ChildBroker.Variable) is { } work) return ChildBroker.ServeAsync(work);
        return args.Any(a => a is "--server" or "--internal-msbuild-node")
            ? Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, (_, _) => { })
            : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
    }
}
