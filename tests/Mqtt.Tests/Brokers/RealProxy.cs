using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IotGateway.Testing;

namespace IotGateway.Tests.Mqtt.Brokers;

/// <summary>An independent proxy on a port of its own: Debian's tinyproxy for HTTP CONNECT, microsocks for SOCKS 5. What it logs is kept.</summary>
sealed class RealProxy : IAsyncDisposable
{
    readonly string _folder;
    readonly Process _process;
    readonly StringBuilder _log = new();

    RealProxy(string folder, Process process)
    {
        (_folder, _process) = (folder, process);
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Port { get; private init; }

    public string Log { get { lock (_log) return _log.ToString(); } }

    /// <summary>Starts one; skips the test where it is not installed.</summary>
    /// <param name="kind">http or socks5.</param>
    /// <param name="user">NAME:PASSWORD it wants; null for none.</param>
    public static async Task<RealProxy> StartAsync(string kind, string? user)
    {
        var program = kind == "http" ? "/usr/bin/tinyproxy" : "/usr/bin/microsocks";
        if (!File.Exists(program)) Assert.Skip($"{program} is not installed.");
        var folder = Directory.CreateTempSubdirectory("proxy-").FullName;
        var port = Ports.Free();
        var login = user?.Split(':');
        if (kind == "http")
            await File.WriteAllLinesAsync(Path.Combine(folder, "conf"),
                [string.Create(CultureInfo.InvariantCulture, $"Port {port}"), "Listen 127.0.0.1", "Timeout 60", "LogLevel Connect", .. login is null ? Array.Empty<string>() : [$"BasicAuth {login[0]} {login[1]}"]]);
        string[] arguments = kind == "http" ? ["-d", "-c", Path.Combine(folder, "conf")]
            : ["-i", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), .. login is null ? Array.Empty<string>() : ["-u", login[0], "-P", login[1]]];
        var proxy = new RealProxy(folder, Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!) { Port = port };
        for (var i = 0; i < 400; i++)
        {
            if (proxy._process.HasExited) throw new InvalidOperationException($"{program} ended: {proxy.Log}");
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return proxy;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
            }
        }
        throw new TimeoutException($"{program} does not listen: {proxy.Log}");
    }

    void Keep(string? line)
    {
        lock (_log) _log.AppendLine(line);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
