using System.CommandLine;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Spectre.Console;

namespace IotGateway.Host.Cli;

/// <summary><c>topics</c>, <c>topics create NAME</c>, <c>topics delete NAME</c>.</summary>
static class TopicsCommand
{
    public static Command Make()
    {
        var (config, broker, client, json) = (CommonOptions.Config(), CommonOptions.Broker(), CommonOptions.ClientConfig(), CommonOptions.Json());
        var command = new Command("topics", "Lists topics with their offsets.") { config, broker, client, json };
        command.SetAction((r, _) => GatewayCli.GuardAsync(() => Task.Run(() => List(Addresses.Broker(r.GetValue(broker), r.GetValue(config)!, r.GetValue(client)), r.GetValue(json)), CancellationToken.None)));
        command.Add(MakeCreate());
        command.Add(MakeDelete());
        return command;
    }

    static Command MakeCreate()
    {
        var name = new Argument<string>("name") { Description = "Topic name: letters, digits, '.', '_', '-'." };
        var partitions = new Option<int>("--partitions") { Description = "Number of partitions.", DefaultValueFactory = _ => 1 };
        var settings = new Option<string[]>("--set") { Description = "Topic setting name=value, such as retention.ms=86400000.", DefaultValueFactory = _ => [] };
        var (config, broker, client) = (CommonOptions.Config(), CommonOptions.Broker(), CommonOptions.ClientConfig());
        var command = new Command("create", "Makes a topic.") { name, partitions, settings, config, broker, client };
        command.SetAction((r, _) => GatewayCli.GuardAsync(async () =>
        {
            using var admin = KafkaClients.Admin(Addresses.Broker(r.GetValue(broker), r.GetValue(config)!, r.GetValue(client)));
            var spec = new TopicSpecification
            {
                Name = r.GetValue(name),
                NumPartitions = r.GetValue(partitions),
                ReplicationFactor = 1,
                Configs = r.GetValue(settings)!.Select(s => s.Split('=', 2)).ToDictionary(p => p[0], p => p.ElementAtOrDefault(1) ?? ""),
            };
            try
            {
                await admin.CreateTopicsAsync([spec], new() { RequestTimeout = KafkaClients.Patience }).ConfigureAwait(false);
            }
            catch (CreateTopicsException e)
            {
                throw new CliException($"{e.Results[0].Topic}: {KafkaClients.Explain(e.Results[0].Error)}");
            }
            return ExitCode.Done;
        }));
        return command;
    }

    static Command MakeDelete()
    {
        var name = new Argument<string>("name") { Description = "Topic name." };
        var (config, broker, client) = (CommonOptions.Config(), CommonOptions.Broker(), CommonOptions.ClientConfig());
        var command = new Command("delete", "Removes a topic and its data.") { name, config, broker, client };
        command.SetAction((r, _) => GatewayCli.GuardAsync(async () =>
        {
            using var admin = KafkaClients.Admin(Addresses.Broker(r.GetValue(broker), r.GetValue(config)!, r.GetValue(client)));
            try
            {
                await admin.DeleteTopicsAsync([r.GetValue(name)!], new() { RequestTimeout = KafkaClients.Patience }).ConfigureAwait(false);
            }
            catch (DeleteTopicsException e)
            {
                throw new CliException($"{e.Results[0].Topic}: {KafkaClients.Explain(e.Results[0].Error)}");
            }
            return ExitCode.Done;
        }));
        return command;
    }

    static int List(string bootstrap, bool json)
    {
        using var admin = KafkaClients.Admin(bootstrap);
        using var consumer = KafkaClients.Consumer(bootstrap, null);
        var rows = admin.GetMetadata(KafkaClients.Patience).Topics.OrderBy(t => t.Topic, StringComparer.Ordinal)
            .SelectMany(t => t.Partitions.OrderBy(p => p.PartitionId).Select(p =>
            {
                var offsets = consumer.QueryWatermarkOffsets(new TopicPartition(t.Topic, p.PartitionId), KafkaClients.Patience);
                return new { topic = t.Topic, partition = p.PartitionId, start = offsets.Low.Value, end = offsets.High.Value };
            })).ToList();
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(rows));
            return ExitCode.Done;
        }
        var table = new Table().Border(TableBorder.None).AddColumns("topic", "partition", "start", "end", "records");
        foreach (var column in table.Columns.Skip(1)) column.RightAligned();
        foreach (var row in rows) table.AddRow(Markup.Escape(row.topic), $"{row.partition}", $"{row.start}", $"{row.end}", $"{row.end - row.start}");
        Screen.Out.Write(table);
        return ExitCode.Done;
    }
}
