using IotGateway.Log.Compaction;
using IotGateway.Log.Disk;
using IotGateway.Log.Recovery;
using IotGateway.Log.Scrub;
using IotGateway.Log.Segments;
using IotGateway.Log.Tables;
using IotGateway.Log.Topics;
using IotGateway.Log.Wal;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Inspection;

/// <summary>
/// Looks at a data directory without opening the log or changing anything. Of a log that is running it sees the last checkpoint and what the disk
/// holds at that moment: files go and frames are half written meanwhile, so only what is still wrong at further looks is a finding.
/// </summary>
public static class LogInspector
{
    const int FurtherLooks = 3;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Whether the directory holds a log.</summary>
    public static bool HoldsLog(string directory) => File.Exists(Path.Combine(directory, StateFile.Name));

    /// <summary>Reads every segment, index and write-ahead file and checks all that can be checked.</summary>
    /// <exception cref="LogFormatException">There is no log there, its state is damaged, or it is a newer version's.</exception>
    public static Task<LogReport> VerifyAsync(string directory, CancellationToken ct)
        => Task.Run(() => VerifyAsync(directory, new LinuxDisk(), TimeProvider.System, ct), ct);

    internal static async Task<LogReport> VerifyAsync(string directory, IDisk disk, TimeProvider time, CancellationToken ct)
    {
        var report = Verify(directory, disk, ct);
        for (var look = 0; look < FurtherLooks && report.Findings.Count > 0; look++)
        {
            await Task.Delay(Pause, time, ct).ConfigureAwait(false);
            var suspects = report.Findings.Select(f => Path.ChangeExtension(f.Path, null)).ToHashSet(StringComparer.Ordinal);
            var again = Verify(directory, disk, ct, suspects);
            report = report with { Findings = [.. report.Findings.Intersect(again.Findings)] };
        }
        return report;
    }

    // Compacted segments whose frame is not in the checkpoint but whose files are in place already; returns where those are that are not yet.
    static Dictionary<string, string> ReplaceCompacted(Catalog topics, WalScan scan, IDisk disk)
    {
        var elsewhere = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var found in scan.Frames)
        {
            var frame = new byte[found.Header.Length];
            using (var file = disk.Open(found.Path, create: false))
                if (file.Read(frame, found.Position) < frame.Length || !FrameFormat.ChecksumHolds(frame)) continue; // recycled meanwhile
            var entries = new EntryReader(frame);
            while (entries.MoveNext())
            {
                if (entries.Kind != EntryKind.Replace || topics.Taken(entries.Topic) is not { } topic || entries.Number >= topic.Committed.Count) continue;
                var files = topic.Committed[entries.Number].Files;
                var replacement = Replacement.Read(entries.Bytes.Span, files.Directory);
                // The first one to be renamed.
                var log = replacement.New.LogPath;
                if (disk.Exists(replacement.New.Size > 0 ? replacement.Beside(log) : log) || files.Take(replacement) is null) continue;
                foreach (var path in replacement.Made.Skip(1))
                    if (disk.Exists(replacement.Beside(path))) elsewhere[path] = replacement.Beside(path);
            }
        }
        return elsewhere;
    }

    /// <summary>One look.</summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="disk">The disk.</param>
    /// <param name="ct">Ends it between segments.</param>
    /// <param name="only">Paths, without extension, of the segments to be read; null for all.</param>
    internal static LogReport Verify(string directory, IDisk disk, CancellationToken ct, IReadOnlySet<string>? only = null)
    {
        var body = StateFile.Read(disk, directory) ?? throw new LogFormatException($"'{directory}' holds no log: there is no state file.");
        using var files = new FileCache(disk, 4);
        var topics = Catalog.Offline(directory, disk, files);
        var state = StateBody.Read(body, topics, new TableSet());
        var scan = WalScan.Read(disk, Path.Combine(directory, "wal"), state.Sequence, ct);
        var elsewhere = ReplaceCompacted(topics, scan, disk);
        var check = new SegmentCheck(path => disk.Open(elsewhere.GetValueOrDefault(path, path), create: false));
        foreach (var partition in topics.Published.SelectMany(t => t.Partitions))
        {
            var next = -1L;
            foreach (var segment in partition.Files.Segments)
            {
                ct.ThrowIfCancellationRequested();
                if (only is not null && !only.Contains(Path.ChangeExtension(segment.LogPath, null)))
                {
                    next = -1;
                    continue;
                }
                next = check.Run(segment, next);
                if (segment.Sealed) check.RunSums(segment, elsewhere.ContainsKey(segment.IndexPath) ? null : SegmentSums.Read(disk, segment.SumsPath, segment.Size));
            }
        }
        var expected = state.Sequence + 1;
        foreach (var frame in scan.Frames)
        {
            if (frame.Header.Sequence != expected && expected <= scan.Durable)
                check.Add(frame.Path, frame.Position, $"Frames {expected} to {frame.Header.Sequence - 1} before this one were durable and are missing.");
            expected = frame.Header.Sequence + 1;
        }
        if (expected <= scan.Durable) check.Add(Path.Combine(directory, "wal"), -1, $"Frames {expected} to {scan.Durable} were durable and are missing.");
        return new(topics.Published.Count, check.Segments, check.Batches, check.Bytes, scan.Frames.Count, check.Findings);
    }
}
