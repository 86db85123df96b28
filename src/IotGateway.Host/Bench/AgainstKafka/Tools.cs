using System.Diagnostics;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// What the bench needs besides the two programs: librdkafka's <c>rdkafka_performance</c> and the library that slows syncing down. A script
/// of the repository builds them once and says where they are.
/// </summary>
sealed class Tools
{
    readonly string _folder;

    Tools(string folder) => _folder = folder;

    /// <summary>librdkafka's own client for measuring.</summary>
    public string Performance => Path.Combine(_folder, "rdkafka_performance");

    /// <summary>Library to be preloaded.</summary>
    public string Shim => Path.Combine(_folder, "shim.so");

    /// <exception cref="CliException">This is no source folder, or they cannot be built.</exception>
    public static async Task<Tools> MakeAsync(CancellationToken ct)
    {
        var script = Path.GetFullPath(Path.Combine(PluginFolder.Location, "..", "eng", "benchtools"));
        if (!File.Exists(script)) throw new CliException("The clients for this scenario are built by a script of the source repository: run it from there, by ./gateway bench log.");
        using var build = Process.Start(new ProcessStartInfo(script) { RedirectStandardOutput = true })!;
        var folder = (await build.StandardOutput.ReadToEndAsync(ct).ConfigureAwait(false)).Trim();
        await build.WaitForExitAsync(ct).ConfigureAwait(false);
        return build.ExitCode == 0 ? new(folder) : throw new CliException($"'{script}' could not build the clients for measuring.");
    }

    /// <summary>Environment of a server whose every sync takes that much longer.</summary>
    public Dictionary<string, string> SlowDisk(int milliseconds) => new() { ["LD_PRELOAD"] = Shim, ["SHIM_SYNC"] = $"delay:{milliseconds}" };
}
