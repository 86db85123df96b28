using IotGateway.Log.Disk;
using IotGateway.Log.Recovery;
using IotGateway.Log.Segments;
using IotGateway.Log.Tables;
using IotGateway.Log.Topics;
using IotGateway.Log.Wal;

namespace IotGateway.Log.Inspection;

/// <summary>
/// Looks at a data directory without opening the log or changing anything. Of a log that is running it sees the last checkpoint; files that
/// retention takes away meanwhile are then reported as missing.
/// </summary>
public static class LogInspector
{
    /// <summary>Reads every segment, index and write-ahead file and checks all that can be checked.</summary>
    /// <exception cref="LogFormatException">There is no log there, its state is damaged, or it is a newer version's.</exception>
    public static Task<LogReport> VerifyAsync(string directory, CancellationToken ct)
        => Task.Run(() => Verify(directory, new LinuxDisk(), ct), ct);

    internal static LogReport Verify(string directory, IDisk disk, CancellationToken ct)
    {
        var body = StateFile.Read(disk, directory) ?? throw new LogFormatException($"'{directory}' holds no log: there is no state file.");
        using var files = new FileCache(disk, 4);
        var topics = new Catalog(directory, new(), disk, files, new SpaceWaiter(), []);
        var state = StateBody.Read(body, topics, new TableSet());
        var check = new SegmentCheck(disk);
        foreach (var partition in topics.Published.SelectMany(t => t.Partitions))
        {
            var next = -1L;
            foreach (var segment in partition.Files.Segments)
            {
                ct.ThrowIfCancellationRequested();
                next = check.Run(segment, next);
            }
        }
        var scan = WalScan.Read(disk, Path.Combine(directory, "wal"), state.Sequence, ct);
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
