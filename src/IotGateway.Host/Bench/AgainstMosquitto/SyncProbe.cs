using System.Runtime.InteropServices;

namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>What one fdatasync of a small write costs in a folder, measured without the gateway's help.</summary>
static partial class SyncProbe
{
    const int Syncs = 500, Bytes = 4096, Length = Syncs * Bytes;

    /// <summary>99th percentile of writes of 4 KiB into a file made before, each synced.</summary>
    public static double P99(string folder)
    {
        var path = Path.Combine(folder, "sync-probe");
        var data = new byte[Length];
        File.WriteAllBytes(path, data);
        var times = new List<double>(Syncs);
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
        {
            RandomAccess.FlushToDisk(file);
            for (var i = 0; i < Syncs; i++)
            {
                var started = TimeProvider.System.GetTimestamp();
                RandomAccess.Write(file, data.AsSpan(0, Bytes), (long)i * Bytes);
                if (DataSync(file) != 0) throw new IOException($"'{path}' cannot be synced: error {Marshal.GetLastPInvokeError()}.");
                times.Add(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds);
            }
        }
        File.Delete(path);
        return Percentile(times, 0.99);
    }

    /// <summary>The value below which that share lies; by nearest rank.</summary>
    public static double Percentile(List<double> values, double share)
    {
        values.Sort();
        return values[Math.Clamp((int)Math.Ceiling(share * values.Count) - 1, 0, values.Count - 1)];
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(Microsoft.Win32.SafeHandles.SafeFileHandle file);
}
