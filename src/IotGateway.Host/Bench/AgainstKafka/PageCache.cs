using System.Diagnostics;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>The kernel's cache of files.</summary>
static class PageCache
{
    const string Switch = "/proc/sys/vm/drop_caches"; // proc_sys_vm(5)

    /// <summary>Empties it of what is on the disk. False: one has to be root for that, and it stays as it is.</summary>
    public static bool Drop()
    {
        using var sync = Process.Start("sync");
        sync.WaitForExit();
        try
        {
            File.WriteAllText(Switch, "1");
            return true;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return false;
        }
    }
}
