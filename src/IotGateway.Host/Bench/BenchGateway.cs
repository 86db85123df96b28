using System.Diagnostics;
using System.Text.Json.Nodes;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Bench;

/// <summary>This program as a child process on a folder and ports of its own, as a user would run it.</summary>
sealed class BenchGateway : IDisposable
{
    Process? _process;

    public BenchGateway()
    {
        Directory.CreateDirectory(Path.Combine(Config, "connectors"));
        File.WriteAllText(Path.Combine(Config, "gateway.json"), new JsonObject
        {
            ["name"] = "bench",
            ["broker"] = new JsonObject { ["listen"] = Broker },
            ["rest"] = new JsonObject { ["listen"] = Rest },
        }.ToJsonString());
    }

    /// <summary>Its folder.</summary>
    public string Root { get; } = Directory.CreateTempSubdirectory("iotgateway-bench-").FullName;

    /// <summary>Kafka bootstrap address.</summary>
    public string Broker { get; } = $"127.0.0.1:{FreePorts.Take()}";

    /// <summary>REST address.</summary>
    public string Rest { get; } = $"127.0.0.1:{FreePorts.Take()}";

    /// <summary>What its process has in its environment besides.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Process id.</summary>
    public int Pid => _process!.Id;

    string Config => Path.Combine(Root, "config");

    /// <summary>Writes a connector's file.</summary>
    public void Connector(string name, JsonObject config) => File.WriteAllText(Path.Combine(Config, "connectors", name + ".json"), config.ToJsonString());

    /// <summary>Starts the process; does not wait.</summary>
    public void Start()
    {
        var start = new ProcessStartInfo(System.Environment.ProcessPath!, ["run", "--config", Config, "--data", Path.Combine(Root, "data")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["IOTGATEWAY_PLUGINS"] = PluginFolder.Location;
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, e) => { if (e.Data is { Length: > 0 } line) Console.Error.WriteLine(line); };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Ends the process: cleanly, or by kill -9.</summary>
    public async Task EndAsync(bool kill)
    {
        if (_process is null) return;
        if (kill) _process.Kill();
        else using (var term = Process.Start("kill", ["-TERM", $"{_process.Id}"])) await term.WaitForExitAsync().ConfigureAwait(false);
        await _process.WaitForExitAsync().ConfigureAwait(false);
        _process.Dispose();
        _process = null;
    }

    /// <summary>Proportional set size and anonymous part of a process, MiB.</summary>
    public (double Pss, double Anonymous) Memory()
    {
        var rollup = File.ReadAllLines($"/proc/{Pid}/smaps_rollup");
        double Of(string name) => double.Parse(rollup.First(l => l.StartsWith(name + ":", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) / 1024;
        return (Of("Pss"), Of("Pss_Anon"));
    }

    /// <summary>Processor time used so far by a process.</summary>
    public static TimeSpan Cpu(int pid)
    {
        using var process = Process.GetProcessById(pid);
        return process.TotalProcessorTime;
    }

    public void Dispose()
    {
        if (_process is { HasExited: false }) _process.Kill();
        _process?.Dispose();
        Directory.Delete(Root, recursive: true);
    }
}
