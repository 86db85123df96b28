using System.Diagnostics;
using System.Globalization;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>The disk under a folder, as the kernel counts what goes to it. Stateless.</summary>
static class BlockDevice
{
    const int Sector = 512, SectorsWritten = 6; // Documentation/block/stat.rst

    /// <summary>Bytes written to it so far, once all that the file system holds back is written; null when there is no such device (tmpfs, overlay).</summary>
    public static async Task<double?> WrittenAsync(string folder, CancellationToken ct)
    {
        var stat = $"/sys/dev/block/{DeviceOf(folder)}/stat";
        if (!File.Exists(stat)) return null;
        await SyncAsync(folder, ct).ConfigureAwait(false);
        var fields = (await File.ReadAllTextAsync(stat, ct).ConfigureAwait(false)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return double.Parse(fields[SectorsWritten], CultureInfo.InvariantCulture) * Sector;
    }

    /// <summary>Waits until all that the file system of a folder holds back is written.</summary>
    public static async Task SyncAsync(string folder, CancellationToken ct)
    {
        using var sync = Process.Start("sync", ["--file-system", folder]);
        await sync.WaitForExitAsync(ct).ConfigureAwait(false);
    }

    // proc(5): mount id, parent id, major:minor, root, mount point, … The longest mount point above the folder has it.
    static string DeviceOf(string folder)
        => File.ReadLines("/proc/self/mountinfo").Select(l => l.Split(' ')).Where(f => (folder + "/").StartsWith(f[4].TrimEnd('/') + "/", StringComparison.Ordinal))
            .MaxBy(f => f[4].Length)![2];
}
