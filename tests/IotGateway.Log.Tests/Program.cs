namespace IotGateway.Log.Tests;

/// <summary>Runs the tests, or is the child process of <see cref="KillTests"/>, <see cref="InterruptedCallTests"/>, <see cref="TmpfsTests"/> or <see cref="ManyPartitionsTests"/>.</summary>
static class Program
{
    static Task<int> Main(string[] args)
    {
        if (Environment.GetEnvironmentVariable(KillTests.Child) is { } directory) return KillTests.WriteForeverAsync(directory);
        if (Environment.GetEnvironmentVariable(InterruptedCallTests.Child) is { } written) return InterruptedCallTests.ReadAsync(written);
        if (Environment.GetEnvironmentVariable(TmpfsTests.Child) is { } full) return TmpfsTests.FillAsync(full);
        if (Environment.GetEnvironmentVariable(ManyPartitionsTests.Child) is { } many) return ManyPartitionsTests.WriteAsync(many);
        if (Environment.GetEnvironmentVariable(ManySegmentsTests.Child) is { } segments) return ManySegmentsTests.ChildAsync(segments);
        return args.Any(a => a is "--server" or "--internal-msbuild-node")
            ? Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, (_, _) => { })
            : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
    }
}
