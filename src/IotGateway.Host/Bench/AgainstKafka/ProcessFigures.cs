using System.Globalization;
using System.Runtime.InteropServices;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>What the kernel counts of another process. Stateless.</summary>
static partial class ProcessFigures
{
    /// <summary>User and system time of all its threads, also those that ended; in nanoseconds, where /proc/PID/stat has hundredths of a second.</summary>
    public static TimeSpan Cpu(int pid)
    {
        const int Scheduled = 2; // CPUCLOCK_SCHED, posix-timers.h: clock_getcpuclockid(3) puts the same together
        return ClockGetTime((~pid << 3) | Scheduled, out var time) == 0 ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0)
            : throw new InvalidOperationException($"Process {pid} has ended.");
    }

    /// <summary>Proportional set size and its anonymous part, MiB.</summary>
    public static (double Pss, double Anonymous) Memory(int pid)
    {
        var rollup = File.ReadAllLines($"/proc/{pid}/smaps_rollup");
        return (Field(rollup, "Pss") / 1024.0, Field(rollup, "Pss_Anon") / 1024.0);
    }

    /// <summary>Resident set size, MiB: files mapped are in it.</summary>
    public static double Resident(int pid) => Field(File.ReadAllLines($"/proc/{pid}/status"), "VmRSS") / 1024.0;

    /// <summary>Bytes of the page cache it has made dirty: each write counts as all of the large folio it falls into, so this says when, not how much.</summary>
    public static long Written(int pid) => Field(File.ReadAllLines($"/proc/{pid}/io"), "write_bytes");

    static long Field(string[] lines, string name)
        => long.Parse(lines.First(l => l.StartsWith(name + ":", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    [StructLayout(LayoutKind.Sequential)]
    struct Timespec
    {
        public long Seconds, Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out Timespec time);
}
