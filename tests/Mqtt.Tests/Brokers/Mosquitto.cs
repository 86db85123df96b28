using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using IotGateway.Testing;

namespace IotGateway.Tests.Mqtt.Brokers;

/// <summary>A real mosquitto on a port of its own, with a folder of its own for configuration and persistence.</summary>
sealed class Mosquitto : IAsyncDisposable
{
    const string Program = "/usr/sbin/mosquitto";

    readonly string _folder = Directory.CreateTempSubdirectory("mosquitto-").FullName;
    Process? _process;
    bool _second; // a second listener is opened after the first

    public int Port { get; } = Ports.Free();

    public string Folder => _folder;

    public string Address => $"mqtt://127.0.0.1:{Port}";

    /// <summary>A second listener's port, where the lines given make one of <c>$PORT2</c>.</summary>
    public int Port2 { get; } = Ports.Free();

    /// <summary>Starts one; skips the test where mosquitto is not installed.</summary>
    /// <param name="listener">Further lines; <c>$FOLDER</c> and <c>$PORT2</c> are replaced.</param>
    public static Task<Mosquitto> StartAsync(params string[] listener) => StartAsync(_ => { }, listener);

    /// <summary>The same, after <paramref name="prepare"/> has put files into its folder.</summary>
    public static async Task<Mosquitto> StartAsync(Action<string> prepare, params string[] listener)
    {
        if (!File.Exists(Program)) Assert.Skip("mosquitto is not installed.");
        var broker = new Mosquitto();
        prepare(broker._folder);
        broker._second = listener.Any(l => l.Contains("$PORT2", StringComparison.Ordinal));
        await File.WriteAllLinesAsync(Path.Combine(broker._folder, "mosquitto.conf"),
        [
            // It starts as root here and would otherwise change to a user that may not read the folder.
            "user root", "max_queued_messages 0", "max_inflight_messages 1000", "persistence true", $"persistence_location {broker._folder}/",
            "log_dest file " + Path.Combine(broker._folder, "log"), "log_type all",
            string.Create(CultureInfo.InvariantCulture, $"listener {broker.Port} 127.0.0.1"),
            .. listener.Select(l => l.Replace("$FOLDER", broker._folder, StringComparison.Ordinal).Replace("$PORT2", broker.Port2.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)),
            .. listener.Any(l => l.StartsWith("password_file", StringComparison.Ordinal)) ? Array.Empty<string>() : ["allow_anonymous true"],
        ]);
        await broker.StartProcessAsync();
        return broker;
    }

    public async Task StartProcessAsync()
    {
        _process = Process.Start(new ProcessStartInfo(Program, ["-c", Path.Combine(_folder, "mosquitto.conf")]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        for (var i = 0; i < 200; i++)
        {
            if (_process.HasExited) throw new InvalidOperationException("mosquitto ended: " + await _process.StandardError.ReadToEndAsync());
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, _second ? Port2 : Port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
            }
        }
        throw new TimeoutException("mosquitto does not listen.");
    }

    /// <summary>Ends it in order: sessions are written to disk.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("/bin/kill", ["-TERM", _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>Publishes one message per line with mosquitto's own client.</summary>
    public async Task PublishAsync(string topic, IEnumerable<string> lines, int qos = 1, params string[] arguments)
    {
        using var client = Process.Start(new ProcessStartInfo("/usr/bin/mosquitto_pub",
            ["-h", "127.0.0.1", "-p", Port.ToString(CultureInfo.InvariantCulture), "-t", topic, "-q", qos.ToString(CultureInfo.InvariantCulture), "-l", .. arguments]) { RedirectStandardInput = true })!;
        foreach (var line in lines) await client.StandardInput.WriteLineAsync(line);
        client.StandardInput.Close();
        await client.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        if (client.ExitCode != 0) throw new InvalidOperationException($"mosquitto_pub ended with {client.ExitCode}.");
    }

    /// <summary>What it logged so far; its log names every packet.</summary>
    public string Log()
    {
        using var file = new FileStream(Path.Combine(_folder, "log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return new StreamReader(file).ReadToEnd();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
