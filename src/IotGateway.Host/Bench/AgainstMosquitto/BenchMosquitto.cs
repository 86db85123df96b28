using System.Diagnostics;
using System.Net.Sockets;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>A mosquitto for measuring against, on a port and folder of its own; queues without bound, 1,000 in flight.</summary>
sealed class BenchMosquitto : IAsyncDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("iotgateway-bench-mosquitto-").FullName;
    Process? _process;

    public int Port { get; } = FreePorts.Take();

    public int Pid => _process!.Id;

    /// <exception cref="CliException">mosquitto is not installed.</exception>
    public static async Task<BenchMosquitto> StartAsync(CancellationToken ct)
    {
        var broker = new BenchMosquitto();
        var config = Path.Combine(broker._folder, "mosquitto.conf");
        await File.WriteAllTextAsync(config, $"listener {broker.Port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\nset_tcp_nodelay true\n", ct).ConfigureAwait(false);
        try
        {
            broker._process = Process.Start(new ProcessStartInfo("mosquitto", ["-c", config]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new CliException("This scenario needs mosquitto and mosquitto-clients: apt-get install mosquitto mosquitto-clients");
        }
        for (var i = 0; ; i++)
        {
            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync("127.0.0.1", broker.Port, ct).ConfigureAwait(false);
                return broker;
            }
            catch (SocketException) when (i < 100)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Makes a persistent session, so that messages wait for whoever comes with this client id.</summary>
    public async Task SubscribeAsync(string clientId, string filter, CancellationToken ct)
    {
        using var client = Process.Start(new ProcessStartInfo("mosquitto_sub", [.. Arguments(clientId, filter), "-E"]))!;
        await client.WaitForExitAsync(ct).ConfigureAwait(false);
        if (client.ExitCode != 0) throw new CliException($"mosquitto_sub ended with {client.ExitCode}.");
    }

    /// <summary>Arguments of a <c>mosquitto_sub</c> with the same version, session and window as the gateway has.</summary>
    public string[] Arguments(string clientId, string filter)
        => ["-h", "127.0.0.1", "-p", $"{Port}", "-V", "5", "-c", "-x", "3600", "-i", clientId, "-q", "1", "-t", filter, "-D", "CONNECT", "receive-maximum", "2000"];

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) _process.Kill();
        if (_process is not null) await _process.WaitForExitAsync().ConfigureAwait(false);
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
