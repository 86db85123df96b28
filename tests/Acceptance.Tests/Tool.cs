using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Acceptance.Tests;

/// <summary>An independent program under our control: its output is kept, it never outlives the test.</summary>
sealed class Tool : IAsyncDisposable
{
    readonly StringBuilder _output = new();
    readonly Lock _lock = new();

    Tool(ProcessStartInfo start, Action<string>? line)
    {
        Process = new Process { StartInfo = start };
        Process.OutputDataReceived += (_, e) =>
        {
            if (line is null) Keep(e.Data);
            else if (e.Data is not null) line(e.Data);
        };
        Process.ErrorDataReceived += (_, e) => Keep(e.Data);
        Process.Start();
        Process.BeginOutputReadLine();
        Process.BeginErrorReadLine();
    }

    /// <summary>The process.</summary>
    public Process Process { get; }

    /// <summary>What it printed so far, both streams.</summary>
    public string Output { get { lock (_lock) return _output.ToString(); } }

    void Keep(string? line)
    {
        if (line is null) return;
        lock (_lock) _output.AppendLine(line);
    }

    /// <summary>
    /// Starts a program; <paramref name="environment"/> is added to ours. <paramref name="line"/> is given each line of its standard output, on a thread of the pool, one at a time;
    /// <see cref="Output"/> has only the other stream then.
    /// </summary>
    public static Tool Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, Action<string>? line = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = Machine.Root };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new Tool(start, line);
    }

    /// <summary>Runs a program to its end and returns what it printed; fails on another exit code than 0 (unless told) or after the time.</summary>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, int seconds = 60, string? input = null, bool anyExit = false)
    {
        await using var tool = Start(program, arguments);
        if (input is not null) await tool.Process.StandardInput.WriteAsync(input);
        tool.Process.StandardInput.Close();
        var code = await tool.WaitAsync(seconds);
        if (code != 0 && !anyExit) Assert.Fail($"{program} ended with {code}:\n{tool.Output}");
        return tool.Output;
    }

    /// <summary>Waits for the end; fails after the time.</summary>
    public async Task<int> WaitAsync(int seconds)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            await Process.WaitForExitAsync(timeout.Token);
            Process.WaitForExit(); // the readers of both streams have finished too
        }
        catch (OperationCanceledException)
        {
            Process.Kill(entireProcessTree: true);
            Assert.Fail($"{Process.StartInfo.FileName} {string.Join(' ', Process.StartInfo.ArgumentList)} did not end within {seconds} s:\n{Output}");
        }
        return Process.ExitCode;
    }

    /// <summary>Waits until it printed <paramref name="text"/>.</summary>
    public async Task SawAsync(string text, int seconds = 30)
        => await Eventually.TrueAsync(() => Output.Contains(text, StringComparison.Ordinal) || (Process.HasExited ? throw new InvalidOperationException($"It ended with {Process.ExitCode}:\n{Output}") : false),
            seconds, () => $"'{text}' was not printed:\n{Output}");

    /// <summary>Sends a signal.</summary>
    public void Signal(int signal)
    {
        if (!Process.HasExited && Kill(Process.Id, signal) != 0) throw new InvalidOperationException($"kill -{signal} {Process.Id} failed.");
    }

    /// <summary>Stops it where it is (SIGSTOP); nothing of it runs any more when this returns.</summary>
    public Task FreezeAsync()
    {
        Signal(Signals.Stop);
        return Stopped.WaitAsync(Process.Id);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited) Process.Kill(entireProcessTree: true);
        await Process.WaitForExitAsync();
        Process.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    static extern int Kill(int pid, int signal);
}

/// <summary>Numbers of signals on Linux.</summary>
static class Signals
{
    public const int Kill = 9, Term = 15, Cont = 18, Stop = 19;
}

/// <summary>Waiting for what must come true.</summary>
static class Eventually
{
    /// <summary>Looks every 50 ms; fails with <paramref name="otherwise"/> after the time.</summary>
    public static async Task TrueAsync(Func<bool> condition, int seconds, Func<string> otherwise)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed.TotalSeconds > seconds) Assert.Fail($"Not within {seconds} s: {otherwise()}");
            await Task.Delay(50);
        }
    }
}
