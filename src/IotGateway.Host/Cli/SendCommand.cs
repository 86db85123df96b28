using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using IotGateway.Sdk.Config;

namespace IotGateway.Host.Cli;

/// <summary><c>command DEVICE TAG VALUE</c>: writes one record to gateway.commands and waits for its final outcome.</summary>
static class SendCommand
{
    const string Commands = "gateway.commands", Outcomes = "gateway.outcomes";

    public static Command Make()
    {
        var connector = new Argument<string>("connector") { Description = "Connector name." };
        var device = new Argument<string>("device") { Description = "Device name." };
        var tag = new Argument<string>("tag") { Description = "Tag name." };
        var value = new Argument<string>("value") { Description = "Value, as JSON or plain text." };
        var id = new Option<string?>("--id") { Description = "Id of the command; the same id is never executed twice. Default: a new one." };
        var ttl = new Option<string>("--ttl") { Description = "Time until its deadline.", DefaultValueFactory = _ => "30s" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Make every check, send nothing." };
        var gateway = new Option<string?>("--gateway") { Description = "Gateway name; default: from the configuration." };
        var (config, broker, client, json) = (CommonOptions.Config(), CommonOptions.Broker(), CommonOptions.ClientConfig(), CommonOptions.Json());
        var command = new Command("command", "Writes a value to a machine and shows what became of it.") { connector, device, tag, value, id, ttl, dryRun, gateway, config, broker, client, json };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            if (!Duration.TryParse(r.GetValue(ttl)!, out var time)) throw new CliException($"--ttl is a time such as 30s, not '{r.GetValue(ttl)}'.", ExitCode.Usage);
            var name = r.GetValue(gateway) ?? Addresses.Gateway(r.GetValue(config)!)?.Name
                ?? throw new CliException("Which gateway? Give --gateway NAME, or --config with its gateway.json.", ExitCode.Usage);
            var request = Request(name, r.GetValue(connector)!, r.GetValue(device)!, r.GetValue(tag)!, r.GetValue(value)!, r.GetValue(id), time, r.GetValue(dryRun));
            var outcome = await SendAsync(Addresses.Broker(r.GetValue(broker), r.GetValue(config)!, r.GetValue(client)), request, time + TimeSpan.FromSeconds(5), ct).ConfigureAwait(false);
            Console.WriteLine(r.GetValue(json) ? outcome.ToJsonString() : Describe(outcome));
            return (string?)outcome["status"] is "confirmed" or "done" ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    /// <summary>The record to write, as the commands page has it.</summary>
    public static JsonObject Request(string gateway, string connector, string device, string tag, string value, string? id, TimeSpan ttl, bool dryRun)
    {
        var now = TimeProvider.System.GetUtcNow();
        var request = new JsonObject
        {
            ["gateway"] = gateway,
            ["id"] = id ?? Guid.NewGuid().ToString("N"),
            ["connector"] = connector,
            ["device"] = device,
            ["tag"] = tag,
            ["value"] = Value(value),
            ["issuer"] = "cli:" + Environment.UserName,
            ["issuedAt"] = now.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
            ["deadline"] = (now + ttl).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        };
        if (dryRun) request["dryRun"] = true;
        return request;
    }

    static JsonNode? Value(string text)
    {
        try { return JsonNode.Parse(text); }
        catch (JsonException) { return JsonValue.Create(text); }
    }

    /// <summary>Writes the record and waits for the outcome that belongs to it; the outcomes topic is read from before the write on.</summary>
    public static Task<JsonObject> SendAsync(string bootstrap, JsonObject request, TimeSpan patience, CancellationToken ct) => Task.Run(() =>
    {
        using var consumer = KafkaClients.Consumer(bootstrap, null);
        var end = consumer.QueryWatermarkOffsets(new TopicPartition(Outcomes, 0), KafkaClients.Patience).High;
        consumer.Assign(new TopicPartitionOffset(Outcomes, 0, end));
        using var producer = KafkaClients.Producer(bootstrap);
        var id = (string)request["id"]!;
        producer.ProduceAsync(Commands, new Message<byte[]?, byte[]?> { Key = Encoding.UTF8.GetBytes(id), Value = Encoding.UTF8.GetBytes(request.ToJsonString()) }, ct)
            .GetAwaiter().GetResult();
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < patience)
        {
            ct.ThrowIfCancellationRequested();
            var record = consumer.Consume(TimeSpan.FromMilliseconds(100));
            if (record?.Message?.Value is not { } bytes || JsonNode.Parse(bytes) is not JsonObject outcome || (string?)outcome["id"] != id) continue;
            consumer.Close();
            return outcome;
        }
        throw new CliException($"No outcome of command {id} within {Duration.Format(patience)}; look for it in {Outcomes}.");
    }, CancellationToken.None);

    /// <summary>One line for people.</summary>
    public static string Describe(JsonObject o)
    {
        var text = new StringBuilder($"{o["status"]}: {o["device"]}/{o["tag"]} = {o["requested"]?.ToJsonString()}");
        if (o["observed"] is { } observed) text.Append(CultureInfo.InvariantCulture, $", observed {observed.ToJsonString()}");
        if (o["check"] is { } check) text.Append(CultureInfo.InvariantCulture, $", check '{check}'");
        if (o["reason"] is { } reason) text.Append(CultureInfo.InvariantCulture, $": {reason}");
        return text.ToString();
    }
}
