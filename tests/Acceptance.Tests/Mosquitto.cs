using System.Text;

namespace Acceptance.Tests;

/// <summary>A real mosquitto on a port and folder of its own.</summary>
sealed class Mosquitto : IAsyncDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("iotgateway-mosquitto-").FullName;
    Tool? _process;

    /// <summary>Its port.</summary>
    public int Port { get; } = Ports.Free();

    /// <summary>Starts it with sessions that queue without bound.</summary>
    public static async Task<Mosquitto> StartAsync()
    {
        if (!Machine.OnPath("mosquitto")) Assert.Skip("mosquitto is not installed.");
        var broker = new Mosquitto();
        await File.WriteAllTextAsync(Path.Combine(broker._folder, "mosquitto.conf"), $"""
            listener {broker.Port} 127.0.0.1
            allow_anonymous true
            persistence true
            persistence_location {broker._folder}/
            max_queued_messages 0
            max_inflight_messages 1000
            user root
            """);
        broker._process = Tool.Start("/usr/sbin/mosquitto", ["-c", Path.Combine(broker._folder, "mosquitto.conf")]);
        await broker._process.SawAsync("running");
        return broker;
    }

    /// <summary>Publishes lines with QoS 1, in order, by mosquitto's own client.</summary>
    /// <remarks>In runs of 50,000: mosquitto_pub 2.0 takes the first acknowledgement that bears the last packet identifier for the end, and identifiers come round after 65,535.</remarks>
    public async Task PublishAsync(string topic, IEnumerable<string> lines, int seconds)
    {
        foreach (var run in lines.Chunk(50_000))
        {
            await using var publisher = Tool.Start("mosquitto_pub", ["-p", $"{Port}", "-h", "127.0.0.1", "-t", topic, "-q", "1", "-l", "-V", "5", "-i", "publisher"]);
            foreach (var chunk in run.Chunk(500)) await publisher.Process.StandardInput.WriteAsync(new StringBuilder().AppendJoin('\n', chunk).Append('\n'));
            publisher.Process.StandardInput.Close();
            Assert.Equal(0, await publisher.WaitAsync(seconds));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
