using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using IotGateway.Log.Inspection;
using IotGateway.Log.Records;

namespace IotGateway.Host.Cli;

/// <summary>
/// <c>log export TOPIC[:PARTITION]</c>: reads records out of the data folder of a stopped or damaged gateway, without a broker. As JSON, one record a line, on
/// standard output; or as Kafka's segment files, which its tools read. Exit 1 when something could not be read.
/// </summary>
static class LogExportCommand
{
    static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static Command Make()
    {
        var what = new Argument<string>("topic") { Description = "TOPIC, or TOPIC:PARTITION." };
        var data = CommonOptions.Data();
        var (from, to) = (new Option<long>("--from") { Description = "First offset.", DefaultValueFactory = _ => 0 }, new Option<long>("--to") { Description = "Offset to stop before.", DefaultValueFactory = _ => long.MaxValue });
        var format = new Option<string>("--format") { Description = "json: a record a line. kafka-segment: files that Kafka's tools read, in --out.", DefaultValueFactory = _ => "json" };
        format.AcceptOnlyFromAmong("json", "kafka-segment");
        var folder = new Option<DirectoryInfo?>("--out") { Description = "Folder for kafka-segment; made when missing." };
        var command = new Command("export", "Reads records out of a data folder without a broker; of aborted transactions, too.") { what, data, from, to, format, folder };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(() =>
        {
            var (topic, partition) = Split(r.GetValue(what)!);
            var range = (r.GetValue(from), r.GetValue(to));
            if (r.GetValue(format) == "json") return Task.Run(() => Json(r.GetValue(data)!.FullName, topic, partition, range, ct), ct);
            var target = r.GetValue(folder) ?? throw new CliException("kafka-segment writes files: name a folder with --out.", ExitCode.Usage);
            return Task.Run(() => Segments(r.GetValue(data)!.FullName, topic, partition, range, target.FullName, ct), ct);
        }));
        return command;
    }

    static (string Topic, int? Partition) Split(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0) return (text, null);
        return int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var partition) ? (text[..colon], partition)
            : throw new CliException($"'{text}' is not TOPIC:PARTITION.", ExitCode.Usage);
    }

    static int Json(string data, string topic, int? partition, (long From, long To) range, CancellationToken ct)
    {
        using var output = new BufferedStream(Console.OpenStandardOutput(), 64 << 10);
        using var json = new Utf8JsonWriter(output, new() { SkipValidation = true });
        return Read(data, topic, partition, (number, bytes) =>
        {
            if (new RecordBatch(bytes.Span).IsControl) return;
            foreach (var record in new RecordReader(bytes))
            {
                if (record.Offset < range.From || record.Offset >= range.To) continue;
                json.Reset();
                Write(json, topic, number, record);
                json.Flush();
                output.WriteByte((byte)'\n');
            }
        }, ct);
    }

    static int Segments(string data, string topic, int? partition, (long From, long To) range, string target, CancellationToken ct)
    {
        var files = new Dictionary<int, FileStream>();
        try
        {
            return Read(data, topic, partition, (number, bytes) =>
            {
                var batch = new RecordBatch(bytes.Span);
                if (batch.LastOffset < range.From || batch.BaseOffset >= range.To) return;
                if (!files.TryGetValue(number, out var file))
                {
                    var folder = Directory.CreateDirectory(Path.Combine(target, $"{topic}-{number}")).FullName;
                    files[number] = file = new(Path.Combine(folder, batch.BaseOffset.ToString("D20", CultureInfo.InvariantCulture) + ".log"), FileMode.CreateNew);
                }
                file.Write(bytes.Span);
            }, ct);
        }
        finally
        {
            foreach (var file in files.Values) file.Dispose();
        }
    }

    static int Read(string data, string topic, int? partition, Action<int, ReadOnlyMemory<byte>> batch, CancellationToken ct)
    {
        var lost = false;
        var partitions = LogExport.Read(data, topic, partition, (number, bytes) =>
        {
            try
            {
                batch(number, bytes);
            }
            catch (Exception e) when (e is InvalidDataException or UnsupportedCompressionException)
            {
                lost = true;
                Console.Error.WriteLine($"{topic}:{number}: the batch at offset {new RecordBatch(bytes.Span).BaseOffset} cannot be opened: {e.Message}");
            }
        }, (number, from, to) =>
        {
            lost = true;
            Console.Error.WriteLine($"{topic}:{number}: offsets {from} up to {to} cannot be read.");
        }, ct);
        return partitions > 0 ? lost ? ExitCode.Failed : ExitCode.Done : throw new CliException($"There is no topic or partition '{topic}{(partition is { } p ? ":" + p : "")}' in '{data}'.", ExitCode.Usage);
    }

    static void Write(Utf8JsonWriter json, string topic, int partition, in Record record)
    {
        json.WriteStartObject();
        json.WriteString("topic", topic);
        json.WriteNumber("partition", partition);
        json.WriteNumber("offset", record.Offset);
        json.WriteNumber("timestamp", record.Timestamp);
        Bytes(json, "key", record.Key);
        Bytes(json, "value", record.Value);
        if (record.Headers.Count > 0)
        {
            json.WriteStartObject("headers");
            foreach (var header in record.Headers) Bytes(json, header.Key, header.Value);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    // Text where it is text, else {"base64": …}.
    static void Bytes(Utf8JsonWriter json, string name, ReadOnlyMemory<byte>? bytes)
    {
        if (bytes is not { } some) json.WriteNull(name);
        else if (System.Text.Unicode.Utf8.IsValid(some.Span)) json.WriteString(name, Strict.GetString(some.Span));
        else
        {
            json.WriteStartObject(name);
            json.WriteBase64String("base64", some.Span);
            json.WriteEndObject();
        }
    }
}
