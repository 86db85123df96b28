namespace Acceptance.Tests;

/// <summary>A real Apache Kafka node ("the cloud") on a folder and ports of its own.</summary>
sealed class ApacheKafka : IAsyncDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("iotgateway-kafka-").FullName;
    readonly string _home;
    readonly int _port = Ports.Free();

    ApacheKafka(string home) => _home = home;

    /// <summary>Bootstrap address.</summary>
    public string Bootstrap => $"127.0.0.1:{_port}";

    /// <summary>Starts one node; skips where there is no Apache Kafka.</summary>
    public static async Task<ApacheKafka> StartAsync()
    {
        var kafka = new ApacheKafka(Machine.Kafka);
        await kafka.ClusterAsync("start", "--set", "auto.create.topics.enable=false");
        return kafka;
    }

    /// <summary>Stops the node cleanly, as for maintenance.</summary>
    public Task AwayAsync() => ClusterAsync("kill", "1", "--signal", "TERM");

    /// <summary>Starts it again on its data.</summary>
    public Task BackAsync() => ClusterAsync("revive", "1");

    /// <summary>One of Apache Kafka's programs.</summary>
    public Task<string> RunAsync(string program, params string[] arguments) => Tool.RunAsync(Path.Combine(_home, "kafka"), [program, .. arguments], 120);

    Task<string> ClusterAsync(string verb, params string[] arguments)
        => Tool.RunAsync("bash", ["-c", "exec \"$@\" < /dev/null", "cluster", Path.Combine(_home, "cluster"), verb, .. arguments, "--port", $"{_port}", "--dir", _folder], 90);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ClusterAsync("stop");
        Directory.Delete(_folder, recursive: true);
    }
}
