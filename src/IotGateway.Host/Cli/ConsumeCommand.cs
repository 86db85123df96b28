using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Confluent.Kafka;
using IotGateway.Host.Hosting;

namespace IotGateway.Host.Cli;

/// <summary><c>consume TOPIC…</c>: prints records as they come.</summary>
static class ConsumeCommand
{
    public static Command Make()
    {
        var topics = new Argument<string[]>("topic") { Description = "Topic names; a name that begins with ^ is a regular expression.", Arity = ArgumentArity.OneOrMore };
        var from = new Option<string>("--from") { Description = "beginning, end, or an offset.", DefaultValueFactory = _ => "beginning" };
        var exit = new Option<bool>("--exit") { Description = "Stop at the end instead of waiting for more." };
        var count = new Option<long>("--count") { Description = "Stop after so many records.", DefaultValueFactory = _ => long.MaxValue };
        var group = new Option<string?>("--group") { Description = "Consumer group whose offsets are used and committed." };
        var (config, broker, client, json) = (CommonOptions.Config(), CommonOptions.Broker(), CommonOptions.ClientConfig(), CommonOptions.Json());
        var command = new Command("consume", "Prints records of topics.") { topics, from, exit, count, group, config, broker, client, json };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(() => Task.Run(() => Run(
            Addresses.Broker(r.GetValue(broker), r.GetValue(config)!, r.GetValue(client)), r.GetValue(topics)!, r.GetValue(from)!, r.GetValue(exit),
            r.GetValue(count), r.GetValue(group), r.GetValue(json), ct), CancellationToken.None)));
        return command;
    }

    static int Run(string bootstrap, string[] topics, string from, bool exit, long count, string? group, bool json, CancellationToken ct)
    {
        using var consumer = KafkaClients.Consumer(bootstrap, group);
        var waiting = 0;
        if (group is not null)
        {
            consumer.Subscribe(topics);
            if (exit) throw new CliException("--exit goes without --group.", ExitCode.Usage);
        }
        else
        {
            var partitions = Partitions(bootstrap, topics);
            consumer.Assign(partitions.Select(p => new TopicPartitionOffset(p, From(from))));
            waiting = partitions.Count;
        }

        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false));
        try
        {
            while (count > 0 && !ct.IsCancellationRequested)
            {
                var record = consumer.Consume(TimeSpan.FromMilliseconds(100));
                if (record is null) { output.Flush(); continue; }
                if (record.IsPartitionEOF)
                {
                    output.Flush();
                    if (exit && --waiting == 0) break;
                    continue;
                }
                output.WriteLine(json ? AsJson(record) : AsText(record));
                count--;
            }
        }
        finally
        {
            consumer.Close();
        }
        return ExitCode.Done;
    }

    static List<TopicPartition> Partitions(string bootstrap, string[] topics)
    {
        using var admin = KafkaClients.Admin(bootstrap);
        var patterns = topics.Where(name => name.StartsWith('^')).Select(Pattern).ToList();
        var known = admin.GetMetadata(KafkaClients.Patience).Topics;
        var chosen = known.Where(t => topics.Contains(t.Topic) || patterns.Any(p => p.IsMatch(t.Topic))).ToList();
        foreach (var missing in topics.Where(name => !name.StartsWith('^') && chosen.All(t => t.Topic != name)))
            throw new CliException($"There is no topic '{missing}'. './gateway topics' lists them.");
        return [.. chosen.SelectMany(t => t.Partitions.Select(p => new TopicPartition(t.Topic, p.PartitionId)))];
    }

    static Regex Pattern(string text)
    {
        try { return new(text, RegexOptions.NonBacktracking); }
        catch (Exception e) when (e is ArgumentException or NotSupportedException) { throw new CliException($"'{text}' is no regular expression: {e.Message}", ExitCode.Usage); }
    }

    static Offset From(string text) => text switch
    {
        "beginning" => Offset.Beginning,
        "end" => Offset.End,
        _ when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var offset) => offset,
        _ => throw new CliException($"--from is beginning, end, or an offset, not '{text}'.", ExitCode.Usage),
    };

    static string AsText(ConsumeResult<byte[]?, byte[]?> r)
        => $"{r.Topic}[{r.Partition.Value}]@{r.Offset.Value} {PlainFormatter.Visible(Text(r.Message.Key) ?? "")} {PlainFormatter.Visible(Text(r.Message.Value) ?? "")}";

    static string AsJson(ConsumeResult<byte[]?, byte[]?> r) => JsonSerializer.Serialize(new Dictionary<string, object?>
    {
        ["topic"] = r.Topic,
        ["partition"] = r.Partition.Value,
        ["offset"] = r.Offset.Value,
        ["timestamp"] = r.Message.Timestamp.UnixTimestampMs,
        ["key"] = Text(r.Message.Key),
        ["value"] = Text(r.Message.Value),
        ["headers"] = r.Message.Headers.ToDictionary(h => h.Key, h => Text(h.GetValueBytes())),
    });

    static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);
}
