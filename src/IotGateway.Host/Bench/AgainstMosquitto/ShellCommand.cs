using System.Diagnostics;
using System.Globalization;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>A pipeline run by bash, which also counts the processor time of all its processes.</summary>
sealed class ShellCommand : IDisposable
{
    const string Timed = "TIMEFORMAT='%U %S'; time ";
    readonly Process _process;

    ShellCommand(Process process) => _process = process;

    public static ShellCommand Start(string pipeline)
        => new(Process.Start(new ProcessStartInfo("bash", ["-o", "pipefail", "-c", Timed + pipeline]) { RedirectStandardError = true })!);

    /// <summary>A program with its arguments as bash reads them.</summary>
    public static string Text(string program, params IEnumerable<string> arguments) => string.Join(' ', arguments.Select(a => $"'{a}'").Prepend(program));

    /// <summary>Waits for its end; returns the processor time.</summary>
    public async Task<TimeSpan> EndAsync(CancellationToken ct)
    {
        var said = await _process.StandardError.ReadToEndAsync(ct).ConfigureAwait(false);
        await _process.WaitForExitAsync(ct).ConfigureAwait(false);
        if (_process.ExitCode != 0) throw new CliException($"A command of the bench ended with {_process.ExitCode}: {said.Trim()}");
        var times = said.TrimEnd().Split('\n')[^1].Split(' ');
        return TimeSpan.FromSeconds(times.Sum(t => double.Parse(t, CultureInfo.InvariantCulture)));
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
