using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;

namespace IotGateway.Tests.Sparkplug.Support;

/// <summary>The edge node of <c>tests/peers/sparkplug</c>, by Eclipse Tahu's library, as a process of its own.</summary>
sealed class TahuEdge : IAsyncDisposable
{
    readonly Channel<JsonElement> _events = Channel.CreateUnbounded<JsonElement>();
    readonly Process _process;
    bool _gone;

    TahuEdge(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is { Length: > 0 } line) _events.Writer.TryWrite(JsonDocument.Parse(line).RootElement);
        };
        process.BeginOutputReadLine();
    }

    /// <summary>Starts one; skips the test where it cannot be installed.</summary>
    public static async Task<TahuEdge> StartAsync(int port, string group = "press-shop", string edge = "gateway1")
    {
        var root = Root();
        var folder = Path.Combine(root, ".work/peers/sparkplug");
        using var prepare = Process.Start(new ProcessStartInfo(Path.Combine(root, "tests/peers/sparkplug/prepare"), [folder]) { RedirectStandardError = true })!;
        var said = await prepare.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(5));
        await prepare.WaitForExitAsync();
        if (prepare.ExitCode != 0) Assert.Skip($"sparkplug-client cannot be installed here: {said}");
        return new(Process.Start(new ProcessStartInfo("node", [Path.Combine(folder, "edge.js"), port.ToString(CultureInfo.InvariantCulture), group, edge]) { RedirectStandardInput = true, RedirectStandardOutput = true })!);
    }

    public async Task DoAsync(object order)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(order));
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>The next event of that name; others are passed over.</summary>
    public async Task<JsonElement> SawAsync(string name, int seconds = 30)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (true)
        {
            var seen = await _events.Reader.ReadAsync(limit.Token);
            if (seen.GetProperty("event").GetString() == name) return seen;
        }
    }

    /// <summary>kill -9: the broker publishes the will.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_gone) return;
        _gone = true;
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "IotGateway.sln"))) return folder;
        throw new InvalidOperationException("IotGateway.sln is in no folder above the tests.");
    }
}
