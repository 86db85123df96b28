using System.CommandLine;
using System.Text;
using Confluent.Kafka;

namespace IotGateway.Host.Cli;

/// <summary><c>produce TOPIC</c>: one record per line of standard input, acknowledged before the command ends.</summary>
static class ProduceCommand
{
    public static Command Make()
    {
        var topic = new Argument<string>("topic") { Description = "Topic name." };
        var separator = new Option<string?>("--key-separator") { Description = "What stands between key and value on a line; without it there are no keys." };
        var (config, broker, client) = (CommonOptions.Config(), CommonOptions.Broker(), CommonOptions.ClientConfig());
        var command = new Command("produce", "Writes lines of standard input as records.") { topic, separator, config, broker, client };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(() =>
            RunAsync(Addresses.Broker(r.GetValue(broker), r.GetValue(config)!, r.GetValue(client)), r.GetValue(topic)!, r.GetValue(separator), ct)));
        return command;
    }

    static async Task<int> RunAsync(string bootstrap, string topic, string? separator, CancellationToken ct)
    {
        using var producer = KafkaClients.Producer(bootstrap);
        long sent = 0, failed = 0;
        Error? reason = null;
        while (await Console.In.ReadLineAsync(ct).ConfigureAwait(false) is { } line)
        {
            var (key, value) = separator is not null && line.IndexOf(separator, StringComparison.Ordinal) is >= 0 and var at
                ? (line[..at], line[(at + separator.Length)..]) : (null, line);
            var message = new Message<byte[]?, byte[]?> { Key = key is null ? null : Encoding.UTF8.GetBytes(key), Value = Encoding.UTF8.GetBytes(value) };
            while (true)
            {
                try
                {
                    producer.Produce(topic, message, report =>
                    {
                        if (report.Error.IsError) { Interlocked.Increment(ref failed); reason = report.Error; }
                        else Interlocked.Increment(ref sent);
                    });
                    break;
                }
                catch (ProduceException<byte[]?, byte[]?> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
                {
                    producer.Flush(TimeSpan.FromMilliseconds(100));
                }
            }
        }
        producer.Flush(ct);
        if (failed > 0) throw new CliException($"{failed} of {sent + failed} records were not written: {KafkaClients.Explain(reason!)}");
        return ExitCode.Done;
    }
}
