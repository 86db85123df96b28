using System.Diagnostics;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>A program of Kafka's that runs beside the test; killed at the latest when it is disposed.</summary>
sealed class JavaProgram : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    readonly Process _process;
    readonly List<string> _lines = [];

    public JavaProgram(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(KafkaTools.Directory!, "kafka"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KAFKA_HEAP_OPTS"] = "-Xmx256m -XX:TieredStopAtLevel=1";
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, e) =>
        {
            lock (_lines) _lines.Add(e.Data ?? "");
        };
        _process.BeginErrorReadLine();
    }

    public async Task WaitForAsync(Func<string, bool> found)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (await _process.StandardOutput.ReadLineAsync(timeout.Token) is { } line)
        {
            lock (_lines) _lines.Add(line);
            if (found(line)) return;
        }
        Assert.Fail($"It ended too early: {string.Join('\n', _lines.TakeLast(20))}");
    }

    /// <summary>Waits for its end; all it has printed.</summary>
    public async Task<IReadOnlyList<string>> EndAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (await _process.StandardOutput.ReadLineAsync(timeout.Token) is { } line)
            lock (_lines) _lines.Add(line);
        await _process.WaitForExitAsync(timeout.Token);
        Assert.True(_process.ExitCode == 0, string.Join('\n', _lines.TakeLast(20)));
        lock (_lines) return [.. _lines];
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }
}
