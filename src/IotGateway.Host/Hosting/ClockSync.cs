using System.Runtime.InteropServices;

namespace IotGateway.Host.Hosting;

/// <summary>Whether the kernel holds this machine's clock for synchronised (NTP, PTP or a host that sets it).</summary>
static partial class ClockSync
{
    /// <summary>adjtimex(2): the clock state TIME_ERROR, "the system clock is not synchronized to a reliable server".</summary>
    const int TimeError = 5;

    public static bool IsSynchronised()
    {
        Span<byte> timex = stackalloc byte[512]; // struct timex is 208 bytes on 64 bit Linux; all zero (modes = 0) only reads
        timex.Clear();
        return Read(ref MemoryMarshal.GetReference(timex)) is not (-1 or TimeError);
    }

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    private static partial int Read(ref byte timex);
}
