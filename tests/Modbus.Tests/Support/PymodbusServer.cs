using System.Diagnostics;
using System.Text.Json;
using IotGateway.Testing;

namespace Modbus.Tests.Support;

/// <summary>The real pymodbus server of <c>tests/peers/pymodbus</c>, as a process of its own.</summary>
internal sealed class PymodbusServer : IAsyncDisposable
{
    const string Python = "/usr/bin/python3";

    readonly string _tags = Path.GetTempFileName();
    Process? _process;

    PymodbusServer(int port) => Port = port;

    public int Port { get; }

    public string Endpoint => $"tcp://127.0.0.1:{Port}";

    /// <summary>Starts one; skips the test where Debian's python3-pymodbus is not installed.</summary>
    public static async Task<PymodbusServer> StartAsync(object tags)
    {
        if (!Directory.Exists("/usr/lib/python3/dist-packages/pymodbus")) Assert.Skip("python3-pymodbus is not installed.");
        var server = new PymodbusServer(Ports.Free());
        await File.WriteAllTextAsync(server._tags, JsonSerializer.Serialize(tags));
        await server.StartAgainAsync();
        return server;
    }

    public async Task StartAgainAsync()
    {
        var info = new ProcessStartInfo(Python) { RedirectStandardOutput = true };
        foreach (var argument in (string[])[Script(), "--port", Port.ToString(), "--tags", _tags]) info.ArgumentList.Add(argument);
        _process = Process.Start(info)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Assert.Equal("ready", await _process.StandardOutput.ReadLineAsync(patience.Token));
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    static string Script()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (Path.Combine(folder, "tests/peers/pymodbus/server.py") is var script && File.Exists(script)) return script;
        throw new FileNotFoundException("tests/peers/pymodbus/server.py");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await KillAsync();
        File.Delete(_tags);
    }
}
