using System.Diagnostics;

namespace IotGateway.Broker.Tests;

/// <summary>Apache Kafka's own programs, where the machine has them: KAFKA_DIR, or shared/kafka beside a parent directory.</summary>
static class KafkaTools
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static string? Directory { get; } = Find();

    public static void SkipWithout()
    {
        if (Directory is null) Assert.Skip("Apache Kafka's programs are not here: set KAFKA_DIR to a folder with 'kafka' and 'libs'.");
    }

    /// <summary>Runs one of Kafka's programs (<c>kafka PROGRAM …</c>); both outputs together.</summary>
    public static Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
        => ExecuteAsync(Path.Combine(Directory!, "kafka"), null, [program, .. arguments]);

    /// <summary>Runs any program; both outputs together.</summary>
    public static async Task<(int Code, string Output)> ExecuteAsync(string file, string? input, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["KAFKA_HEAP_OPTS"] = "-Xmx192m -XX:TieredStopAtLevel=1";
        using var process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var errors = process.StandardError.ReadToEndAsync(timeout.Token);
        try
        {
            if (input is not null) await process.StandardInput.WriteAsync(input.AsMemory(), timeout.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(timeout.Token);
            return (process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} did not end within {Patience}.");
        }
    }

    static string? Find()
    {
        if (Environment.GetEnvironmentVariable("KAFKA_DIR") is { Length: > 0 } given) return given;
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var candidate = Path.Combine(at.FullName, "shared", "kafka");
            if (File.Exists(Path.Combine(candidate, "kafka"))) return candidate;
        }
        return null;
    }
}
