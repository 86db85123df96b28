namespace IotGateway.Log.Tests;

/// <summary>Runs the tests, or is the child process of <see cref="KillTests"/> or <see cref="TmpfsTests"/>.</summary>
static class Program
{
    static Task<int> Main(string[] args)
    {
        if (Environment.GetEnvironmentVariable(KillTests.Child) is { } directory) return KillTests.WriteForeverAsync(directory);
        if (Environment.GetEnvironmentVariable(TmpfsTests.Child) is { } full) return TmpfsTests.FillAsync(full);
        return args.Any(a => a is "--server" or "--internal-msbuild-node")
            ? Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, (_, _) => { })
            : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
    }
}
