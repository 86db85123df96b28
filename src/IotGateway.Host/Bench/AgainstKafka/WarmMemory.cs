using System.Runtime.InteropServices;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// Uses the machine's free memory once before anything is measured. On a virtual machine the first use of a page costs a fault in the host, which is
/// many times the price of what either program does with it; a machine that has run for a day has none of that left.
/// </summary>
static unsafe class WarmMemory
{
    const long Block = 64 << 20;
    const int Page = 4096;

    /// <summary>Touches and frees that much, at most the greater part of what is free; returns how much.</summary>
    public static long Touch(long most)
    {
        var free = File.ReadLines("/proc/meminfo").First(l => l.StartsWith("MemFree:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        var blocks = Math.Min(most, long.Parse(free, System.Globalization.CultureInfo.InvariantCulture) * 1024 * 3 / 4) / Block;
        var taken = new List<nint>();
        for (var i = 0; i < blocks; i++)
        {
            var block = (byte*)NativeMemory.AlignedAlloc((nuint)Block, Page);
            taken.Add((nint)block);
            for (long at = 0; at < Block; at += Page) block[at] = 1;
        }
        taken.ForEach(b => NativeMemory.AlignedFree((void*)b));
        return blocks * Block;
    }
}
