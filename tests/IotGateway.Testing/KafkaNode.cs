using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace IotGateway.Testing;

/// <summary>
/// A real Apache Kafka of one node on a free loopback port, started once for a test class and wiped afterwards. Found by KAFKA_DIR, or as
/// shared/kafka beside the repository or above it. Where there is none, tests that ask for it are skipped.
/// </summary>
public class KafkaNode : IAsyncLifetime
{
    readonly string _data = Path.Combine(Path.GetTempPath(), "kafka-tests-" + Guid.NewGuid().ToString("N")[..8]);
    int _port;
    string? _missing;

    /// <summary>Its address; skips the test when there is none.</summary>
    public string Bootstrap
    {
        get
        {
            if (_missing is not null) Assert.Skip(_missing);
            return $"127.0.0.1:{_port}";
        }
    }

    /// <summary>Settings of the broker, <c>name=value</c>.</summary>
    // The records are stamped 2023: by Kafka's default retention they would go 30 s after the broker's start.
    protected virtual IReadOnlyList<string> Settings => ["log.retention.ms=-1"];

    static string? Program
    {
        get
        {
            if (Environment.GetEnvironmentVariable("KAFKA_DIR") is { Length: > 0 } dir) return Path.Combine(dir, "cluster");
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (Path.Combine(folder.FullName, "shared", "kafka", "cluster") is var path && File.Exists(path)) return path;
            return null;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (Program is not { } program || !File.Exists(program)) _missing = "No Apache Kafka: set KAFKA_DIR to a folder with its 'cluster' script.";
        else if (!File.Exists("/usr/bin/java")) _missing = "No Java to run Apache Kafka with.";
        else
        {
            _port = Ports.Free(also: 100); // the controller's
            await RunAsync(["start", .. Settings.SelectMany(s => new[] { "--set", s })]);
        }
    }

    /// <summary>Kills it, and returns when it is gone: a process that dies answers for a while, and one started meanwhile would not get its port.</summary>
    /// <exception cref="TimeoutException">It still answers after 60 s.</exception>
    public async Task KillAsync()
    {
        await RunAsync("kill", "1", "--signal", "9");
        for (var i = 0; await AnswersAsync(); i++)
        {
            if (i == 600) throw new TimeoutException($"The node at {_port} does not die.");
            await Task.Delay(100);
        }
    }

    async Task<bool> AnswersAsync()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, _port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Stops the node's process without ending it: connections stay, nothing answers.</summary>
    public async Task FreezeAsync()
    {
        await RunAsync("kill", "1", "--signal", "STOP");
        await Stopped.WaitAsync(int.Parse(await File.ReadAllTextAsync(Path.Combine(_data, "node1", "pid")), CultureInfo.InvariantCulture));
    }

    public Task ThawAsync() => RunAsync("kill", "1", "--signal", "CONT");

    public Task ReviveAsync() => RunAsync("revive", "1");

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_missing is null) await RunAsync("wipe");
    }

    async Task RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Program!, [.. arguments, "--port", _port.ToString(CultureInfo.InvariantCulture), "--dir", _data]);
        start.Environment["KAFKA_HEAP_OPTS"] = "-Xms256m -Xmx512m";
        using var process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        await process.WaitForExitAsync(timeout.Token);
        if (process.ExitCode != 0) throw new InvalidOperationException($"cluster {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
