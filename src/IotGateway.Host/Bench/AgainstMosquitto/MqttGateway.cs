using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using IotGateway.Host.Bench.AgainstKafka;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>A gateway with one MQTT connector, "plant", that writes raw messages to the topic <see cref="Topic"/>. Not thread-safe.</summary>
sealed class MqttGateway : IAsyncDisposable
{
    /// <summary>Where the messages go.</summary>
    public const string Topic = "mqtt";

    /// <summary>The connector's client id.</summary>
    public const string ClientId = "gateway";

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50), Look = TimeSpan.FromMilliseconds(5), Longest = TimeSpan.FromMinutes(3);

    readonly BenchGateway _process = new();
    readonly HttpClient _http;

    public MqttGateway(BenchMosquitto broker, params IEnumerable<string> filters)
    {
        _http = new() { BaseAddress = new($"http://{_process.Rest}"), Timeout = TimeSpan.FromSeconds(60) };
        _process.Connector("plant", new JsonObject
        {
            ["connector"] = "mqtt",
            ["endpoint"] = $"mqtt://127.0.0.1:{broker.Port}",
            ["version"] = "5.0",
            ["clientId"] = ClientId,
            ["subscriptions"] = new JsonArray([.. filters.Select(f => new JsonObject { ["filter"] = f, ["qos"] = 1 })]),
            ["topic"] = Topic,
            ["format"] = "raw",
        });
    }

    public string Bootstrap => _process.Broker;

    public string Root => _process.Root;

    public int Pid => _process.Pid;

    /// <summary>Starts it; returns when the connector is subscribed, and the topic exists.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        _process.Start();
        await StateAsync("running", ct).ConfigureAwait(false);
        using var admin = KafkaClients.Admin(Bootstrap);
        await admin.CreateTopicsAsync([new() { Name = Topic, NumPartitions = 1, ReplicationFactor = 1 }]).ConfigureAwait(false);
    }

    /// <summary>Disconnects the connector; its session stays.</summary>
    public async Task PauseAsync(CancellationToken ct)
    {
        await PutAsync("pause", ct).ConfigureAwait(false);
        await StateAsync("paused", ct).ConfigureAwait(false);
    }

    /// <summary>Connects it again.</summary>
    public Task ResumeAsync(CancellationToken ct) => PutAsync("resume", ct);

    async Task PutAsync(string what, CancellationToken ct)
    {
        using var answer = await _http.PutAsync($"/api/connectors/plant/{what}", null, ct).ConfigureAwait(false);
        answer.EnsureSuccessStatusCode();
    }

    public async Task StateAsync(string wanted, CancellationToken ct)
    {
        string? state = null;
        for (var started = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(started) < Longest;)
        {
            try
            {
                state = (string?)(await _http.GetFromJsonAsync<JsonObject>("/api/connectors/plant", ct).ConfigureAwait(false))!["state"];
                if (state == wanted) return;
            }
            catch (HttpRequestException) when (state is null) { } // not listening yet
            await Task.Delay(Pause, TimeProvider.System, ct).ConfigureAwait(false);
        }
        throw new TimeoutException($"The connector is {state}, not {wanted}.");
    }

    /// <summary>Records in a topic, by its offsets.</summary>
    public long Records(string topic = Topic)
    {
        using var consumer = KafkaClients.Consumer(Bootstrap, null);
        return End(consumer, topic);
    }

    /// <summary>Waits until a topic holds that many.</summary>
    public Task UntilAsync(long records, CancellationToken ct, string topic = Topic) => Task.Run(async () =>
    {
        using var consumer = KafkaClients.Consumer(Bootstrap, null);
        for (var started = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(started) < Longest;)
        {
            if (End(consumer, topic) >= records) return;
            await Task.Delay(Look, TimeProvider.System, ct).ConfigureAwait(false);
        }
        throw new TimeoutException($"{End(consumer, topic)} of {records} messages are in the log after {Longest.TotalMinutes} minutes.");
    }, CancellationToken.None);

    static long End(IConsumer<byte[]?, byte[]?> consumer, string topic) => consumer.QueryWatermarkOffsets(new TopicPartition(topic, 0), TimeSpan.FromSeconds(20)).High.Value;

    /// <summary>Memory of the process, MiB: resident, and the anonymous part of its share.</summary>
    public (double Resident, double Anonymous) Memory() => (ProcessFigures.Resident(Pid), ProcessFigures.Memory(Pid).Anonymous);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.EndAsync(kill: true).ConfigureAwait(false);
        _process.Dispose();
    }
}
