using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>What a stretch of work runs into besides the end of the power: one failed operation, or a disk that is full for a while; mostly nothing.</summary>
static class Trouble
{
    static readonly string[] Operations = ["write", "write", "sync", "sync", "syncdir", "syncfs", "rename", "truncate", "open", "mkdir", "read"];
    static readonly TimeSpan FullFor = TimeSpan.FromMilliseconds(30);

    /// <summary>Lets one operation of some kind, some time from now, fail with EIO; a failed write gets half-way, a failed sync leaves clean pages that are not on the disk.</summary>
    public static void FailOnce(SimulatedDisk disk, Random random, List<string> story)
    {
        var (operation, left) = (Operations[random.Next(Operations.Length)], random.Next(1, random.Next(2) == 0 ? 10 : 150));
        disk.Fault = (what, path) =>
        {
            if (what != operation || --left != 0) return null;
            disk.Fault = (_, _) => null;
            lock (story) story.Add($"{what} of {path} fails");
            return new DiskException(what, path, 5, "Input/output error");
        };
    }

    /// <summary>Something else takes all the space, and gives it back a little later.</summary>
    public static async Task FillAsync(SimulatedDisk disk)
    {
        disk.FillUp();
        await Task.Delay(FullFor);
        disk.Capacity = long.MaxValue;
    }
}
