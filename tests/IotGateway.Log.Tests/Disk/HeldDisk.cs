using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>The machine's disk, but checkpoints never end while they are held up: so the write-ahead log fills.</summary>
sealed class HeldDisk() : OtherDisk(new LinuxDisk())
{
    public void Hold(bool hold)
    {
        if (hold) Free.Reset();
        else Free.Set();
    }

    public override IDiskFile Open(string path, bool create)
    {
        if (path.EndsWith("state.new", StringComparison.Ordinal)) Free.Wait();
        return OpenThere(path, create);
    }
}
