using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// What a batch costs on the disk (W17): bytes the topic takes by the bytes of the batches sent, bytes the block device was written by the same (each
/// batch is written to the write-ahead log and to a segment; whatever else writes to that device is in the figure), and how many syncs a second
/// serve how many batches.
/// </summary>
sealed class DiskScenario(LogBench bench)
{
    const double Target = 1.05;
    const int Partitions = 4, Connections = 16;

    public async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        var (gateway, kafka) = await bench.ServersAsync(ct).ConfigureAwait(false);
        return new JsonObject
        {
            ["batches of 100 records of 100 B, gateway"] = await OneAsync(gateway, 100, judge: true, ct).ConfigureAwait(false),
            ["batches of 100 records of 100 B, Kafka"] = await OneAsync(kafka, 100, judge: false, ct).ConfigureAwait(false),
            ["batches of one record of 100 B, gateway"] = await OneAsync(gateway, 1, judge: false, ct).ConfigureAwait(false),
            ["batches of one record of 100 B, Kafka"] = await OneAsync(kafka, 1, judge: false, ct).ConfigureAwait(false),
        };
    }

    async Task<JsonObject> OneAsync(MeasuredServer server, int records, bool judge, CancellationToken ct)
    {
        var topic = await server.CreateTopicAsync(Partitions, synced: true).ConfigureAwait(false);
        using var loop = await ClosedLoop.ConnectAsync(server.Bootstrap, topic, Connections, Partitions, records, 100, ct).ConfigureAwait(false);
        await server.QuietAsync(ct).ConfigureAwait(false);
        var written = await BlockDevice.WrittenAsync(server.Partitions, ct).ConfigureAwait(false);
        await loop.RunAsync(TimeSpan.FromSeconds(bench.Options.Seconds), ct).ConfigureAwait(false);
        double sent = loop.Acknowledged * loop.BatchBytes;
        if (server.Records(topic, Partitions) != loop.Acknowledged * records) throw new InvalidDataException($"{server.Name} has other records than it acknowledged.");
        var amplification = (await BlockDevice.WrittenAsync(server.Partitions, ct).ConfigureAwait(false) - written) / sent;
        var taken = await TakenAsync(server, topic, ct).ConfigureAwait(false) / sent;
        var figures = new JsonObject
        {
            ["bytes on disk by bytes of batches"] = Math.Round(taken, 3),
            ["bytes written to the device by bytes of batches"] = amplification is { } times ? Math.Round(times, 2) : "not counted: the folder is on no block device",
            ["syncs (strace -c)"] = await SyncsAsync(server, loop, ct).ConfigureAwait(false),
        };
        if (judge) figures[string.Create(CultureInfo.InvariantCulture, $"target {Target} on disk")] = taken <= Target ? "met" : "missed";
        await server.DeleteTopicAsync(topic).ConfigureAwait(false);
        return figures;
    }

    /// <summary>Allocated, not the files' lengths.</summary>
    static async Task<double> TakenAsync(MeasuredServer server, string topic, CancellationToken ct)
    {
        var folders = Enumerable.Range(0, Partitions).Select(i => Path.Combine(server.Partitions, $"{topic}-{i}"));
        using var du = Process.Start(new ProcessStartInfo("du", ["--block-size=1", "--total", "--summarize", .. folders]) { RedirectStandardOutput = true })!;
        var output = await du.StandardOutput.ReadToEndAsync(ct).ConfigureAwait(false);
        return double.Parse(output.TrimEnd().Split('\n')[^1].Split('\t')[0], CultureInfo.InvariantCulture);
    }

    async Task<string> SyncsAsync(MeasuredServer server, ClosedLoop loop, CancellationToken ct)
    {
        const string Output = "/dev/stderr";
        Process strace;
        try
        {
            strace = Process.Start(new ProcessStartInfo("strace", ["-c", "-f", "-q", "-e", "trace=fdatasync,fsync,syncfs", "-o", Output, "-p", $"{server.Pid}"]) { RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "not counted: strace is not installed";
        }
        using (strace)
        {
            var before = loop.Acknowledged;
            var elapsed = await loop.RunAsync(TimeSpan.FromSeconds(bench.Options.Seconds), ct).ConfigureAwait(false);
            using (var end = Process.Start("kill", ["-INT", $"{strace.Id}"])) await end.WaitForExitAsync(ct).ConfigureAwait(false);
            var table = await strace.StandardError.ReadToEndAsync(ct).ConfigureAwait(false);
            await strace.WaitForExitAsync(ct).ConfigureAwait(false);
            // % time, seconds, usecs/call, calls, [errors,] syscall
            var calls = table.Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(f => f.Length >= 5 && f[^1] is "fdatasync" or "fsync" or "syncfs")
                .Select(f => $"{f[^1]} {int.Parse(f[3], CultureInfo.InvariantCulture) / elapsed.TotalSeconds:F0}/s").ToList();
            return calls.Count == 0 ? $"none, for {(loop.Acknowledged - before) / elapsed.TotalSeconds:F0} requests/s" : $"{string.Join(", ", calls)}, for {(loop.Acknowledged - before) / elapsed.TotalSeconds:F0} requests/s";
        }
    }
}
