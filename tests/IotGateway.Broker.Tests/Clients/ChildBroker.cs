using System.Diagnostics;
using System.Net;
using IotGateway.Log;
using IotGateway.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>A broker in a process of its own, on a port and directory it keeps, that can be killed with SIGKILL and started again.</summary>
sealed class ChildBroker : IDisposable
{
    public const string Variable = "IOTGATEWAY_BROKER_CHILD";

    readonly string _directory = Directory.CreateTempSubdirectory("child-broker-").FullName;
    readonly int _port = Ports.Free();
    Process? _process;

    public string Bootstrap => $"127.0.0.1:{_port}";

    public async Task StartAsync()
    {
        _process = Process.Start(new ProcessStartInfo("dotnet", [typeof(ChildBroker).Assembly.Location])
        {
            Environment = { [Variable] = $"{_port} {_directory}" },
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("ready", await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        _process.Dispose();
        _process = null;
    }

    public void Dispose()
    {
        _process?.Kill();
        _process?.WaitForExit();
        _process?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>What the child process does.</summary>
    public static async Task<int> ServeAsync(string work)
    {
        var parts = work.Split(' ', 2);
        await using var log = await LogStore.OpenAsync(new() { Directory = parts[1], WalBytes = 16 << 20 }, NullLogger.Instance, TimeProvider.System, default);
        var options = new BrokerOptions { Listeners = [new() { Endpoint = new(IPAddress.Loopback, int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture)) }] };
        await using var server = await BrokerServer.StartAsync(options, log, NullLoggerFactory.Instance, TimeProvider.System, null, default);
        Console.WriteLine("ready");
        await log.Failed;
        return 1;
    }
}
