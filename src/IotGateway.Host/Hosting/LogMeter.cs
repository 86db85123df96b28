using System.Diagnostics.Metrics;
using IotGateway.Log;

namespace IotGateway.Host.Hosting;

/// <summary>The log's figures as a meter, "IotGateway.Log"; asked when somebody looks.</summary>
static class LogMeter
{
    public static void Make(IMeterFactory meters, LogStore log)
    {
        var meter = meters.Create("IotGateway.Log");
        meter.CreateObservableCounter("units", () => log.Figures.Units, "{unit}", "Units committed.");
        meter.CreateObservableCounter("appended", () => log.Figures.AppendedBytes, "By", "Bytes of record batches appended.");
        meter.CreateObservableCounter("wal", () => log.Figures.WalBytes, "By", "Bytes written to the write-ahead log.");
        meter.CreateObservableCounter("syncs", () => log.Figures.Syncs, "{sync}", "Syncs of the write-ahead log.");
        meter.CreateObservableCounter("sync.time", () => log.Figures.SyncTime.TotalSeconds, "s", "Time spent in them.");
        meter.CreateObservableGauge("sync.longest", () => log.Figures.LongestSync.TotalSeconds, "s", "The longest of them since the start.");
        meter.CreateObservableGauge("commit.age", () => log.Figures.CommitUnderWay.TotalSeconds, "s", "How long the commit under way has taken so far; 0 when none is. Seconds mean that the disk does not answer.");
        meter.CreateObservableCounter("checkpoint.time", () => log.Figures.CheckpointTime.TotalSeconds, "s", "Time spent writing checkpoints.");
        meter.CreateObservableGauge("checkpoint.age", () => log.Figures.LastCheckpoint is { } last ? Math.Max(0, (TimeProvider.System.GetUtcNow() - last).TotalSeconds) : 0, "s", "Time since the last checkpoint of this run.");
        meter.CreateObservableGauge("scrub.progress", () => log.Figures.ScrubProgress, null, "How much of its present pass the background check has done, 0 to 1.");
        meter.CreateObservableGauge("free", () => log.Figures.FreeBytes, "By", "Bytes free on the log's disk.");
        meter.CreateObservableGauge("start", () => Partitions(log, p => p.LogStart), null, "First offset there is, by topic and partition.");
        meter.CreateObservableGauge("end", () => Partitions(log, p => p.HighWatermark), null, "Offset after the last readable record, by topic and partition.");
        meter.CreateObservableCounter("checkpoints", () => log.Figures.Checkpoints, "{checkpoint}", "Checkpoints written.");
        meter.CreateObservableCounter("scrubbed", () => log.Figures.ScrubbedBytes, "By", "Bytes of segments the background check has read.");
        meter.CreateObservableCounter("quarantined", () => log.Figures.QuarantinedBytes, "By", "Rotten bytes taken out of segments; gateway.gaps says which records went with them.");
        meter.CreateObservableGauge("disk", () => log.Figures.DiskBytes, "By", "Bytes of segments on disk.");
        meter.CreateObservableCounter("dropped", () => log.Figures.DroppedRecords, "{record}", "Records deleted to make space before any retention had come for them; gateway.gaps says which.");
        meter.CreateObservableCounter("dropped.bytes", () => log.Figures.DroppedBytes, "By", "Their bytes.");
        meter.CreateObservableGauge("accepting", () => log.Accepting ? 1 : 0, null, "1 while the log takes data; 0 when the disk is full, the log has used up its size, or has failed.");
    }

    static IEnumerable<Measurement<long>> Partitions(LogStore log, Func<Partition, long> figure)
        => log.Topics.SelectMany(t => t.Partitions).Select(p => new Measurement<long>(figure(p), new KeyValuePair<string, object?>("topic", p.Topic.Name), new KeyValuePair<string, object?>("partition", p.Index)));
}
