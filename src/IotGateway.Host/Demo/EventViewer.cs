using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Demo;

/// <summary>Shows events as any Kafka client sees them: an ordinary consumer on the gateway's own port.</summary>
sealed class EventViewer(string bootstrap, params string[] topics)
{
    /// <summary>When the first event was shown; null before.</summary>
    public long? FirstAt { get; private set; }

    /// <summary>Readings shown.</summary>
    public long Readings { get; private set; }

    /// <summary>Other records shown.</summary>
    public long Lines { get; private set; }

    /// <summary>Consumes and prints until cancelled.</summary>
    public Task RunAsync(CancellationToken ct) => Task.Run(() => Run(ct), CancellationToken.None);

    void Run(CancellationToken ct)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = "demo-viewer",
            AutoOffsetReset = AutoOffsetReset.Earliest,
            TopicMetadataRefreshIntervalMs = 200,
            AllowAutoCreateTopics = false,
            FetchWaitMaxMs = 100,
        };
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(config).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();
        consumer.Subscribe("^(" + string.Join('|', topics.Select(System.Text.RegularExpressions.Regex.Escape)) + ")$");
        while (!ct.IsCancellationRequested)
        {
            ConsumeResult<byte[]?, byte[]?>? record;
            try { record = consumer.Consume(TimeSpan.FromMilliseconds(100)); }
            catch (ConsumeException e) when (!e.Error.IsFatal) { continue; }
            if (record?.Message?.Value is not { } value) continue;
            FirstAt ??= TimeProvider.System.GetTimestamp();
            Console.WriteLine(Describe(record.Topic, record.Message.Timestamp.UtcDateTime, value));
        }
        consumer.Close();
    }

    string Describe(string topic, DateTime time, byte[] value)
    {
        var at = time.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
        if (value.Length > 0 && value[0] == '{' && TryParse(value) is { } o && o["tag"] is not null)
        {
            Readings++;
            var shown = (o["value"]?.ToJsonString() ?? "-") + (o["label"] is { } label ? $" ({label})" : "");
            return $"  {at}  {o["device"],-8} {o["tag"],-16} {shown,14} {o["unit"],-6} {o["quality"]} {o["status"]}".TrimEnd();
        }
        Lines++;
        return $"  {at}  [{topic}] {Encoding.UTF8.GetString(value)}";
    }

    static JsonObject? TryParse(byte[] value)
    {
        try { return JsonNode.Parse(value) as JsonObject; }
        catch (JsonException) { return null; } // a line of the machine's log that begins with a brace
    }
}
