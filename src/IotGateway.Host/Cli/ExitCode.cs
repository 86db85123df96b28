namespace IotGateway.Host.Cli;

/// <summary>Exit codes; scripts depend on them.</summary>
static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Failed.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage or invalid configuration.</summary>
    public const int Usage = 2;
}

/// <summary>Ends a command with a message for the user and an exit code, without a stack trace.</summary>
sealed class CliException(string message, int exitCode = ExitCode.Failed) : Exception(message)
{
    /// <summary>What the process returns.</summary>
    public int Code => exitCode;
}
