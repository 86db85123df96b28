using System.Diagnostics;
using System.Globalization;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// An Apache Kafka of one node in its own default configuration, started by the <c>cluster</c> script of the folder given. Deleted topics
/// leave the disk at once, as the gateway's do.
/// </summary>
sealed class KafkaServer(string program, IReadOnlyDictionary<string, string>? environment = null, IReadOnlyList<string>? settings = null) : MeasuredServer
{
    // A whole topic follows these, 60 s and 30 s after the start by default, whatever its own setting says.
    static readonly string[] DeletesAtOnce = ["--set", "log.segment.delete.delay.ms=100", "--set", "log.initial.task.delay.ms=100"];
    readonly string _folder = Directory.CreateTempSubdirectory("iotgateway-bench-kafka-").FullName;
    readonly int _port = FreePorts.Take(also: 100); // the controller's
    Task _starting = Task.CompletedTask;
    bool _made;

    public override string Name => "Kafka";
    public override string Bootstrap => $"127.0.0.1:{_port}";
    public override int Pid => int.Parse(File.ReadAllText(Path.Combine(_folder, "node1", "pid")), CultureInfo.InvariantCulture);
    public override string Partitions => Path.Combine(_folder, "node1", "data");
    protected override Dictionary<string, string> Unsynced { get; } = [];

    /// <summary>The folder of an Apache Kafka: the one given, else that of KAFKA_DIR, else <c>../shared/kafka</c>.</summary>
    /// <exception cref="CliException">There is none.</exception>
    public static string Find(string? given)
    {
        var folder = Path.GetFullPath(given ?? Environment.GetEnvironmentVariable("KAFKA_DIR") ?? Path.Combine("..", "shared", "kafka"));
        return File.Exists(Path.Combine(folder, "cluster")) ? folder
            : throw new CliException($"There is no Apache Kafka with a 'cluster' script in '{folder}'. Name its folder by --kafka DIR.");
    }

    public override async Task StartAsync(CancellationToken ct)
    {
        string[] arguments = _made ? ["revive", "1"] : ["start", .. DeletesAtOnce, .. (settings ?? []).SelectMany(s => new[] { "--set", s })];
        _starting = ClusterAsync(arguments, ct);
        if (_made) return; // the script waits until it answers; who measures the start does not
        await _starting.ConfigureAwait(false);
        _made = true;
    }

    public override async Task EndAsync(bool kill)
    {
        await _starting.ConfigureAwait(false);
        using var process = Process.GetProcessById(Pid);
        await ClusterAsync(["kill", "1", "--signal", kill ? "9" : "TERM"], CancellationToken.None).ConfigureAwait(false);
        await process.WaitForExitAsync().ConfigureAwait(false);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_made) await ClusterAsync(["wipe"], CancellationToken.None).ConfigureAwait(false);
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    async Task ClusterAsync(string[] arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo(Path.Combine(program, "cluster"), [.. arguments, "--port", $"{_port}", "--dir", _folder])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var script = Process.Start(start)!;
        var error = script.StandardError.ReadToEndAsync(ct);
        await script.StandardOutput.ReadToEndAsync(ct).ConfigureAwait(false);
        await script.WaitForExitAsync(ct).ConfigureAwait(false);
        if (script.ExitCode != 0) throw new CliException($"Apache Kafka did not do '{arguments[0]}': {await error.ConfigureAwait(false)}");
    }
}
