using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests;

/// <summary>Rule 5, below: a sync that did nothing is told, with the errno. .NET's own flush takes EINVAL and EROFS for success.</summary>
public sealed class LinuxDiskTests
{
    const int Einval = 22;

    readonly LinuxDisk _disk = new();

    [Fact]
    public void A_sync_that_the_file_does_not_know_is_a_failure()
    {
        using var file = _disk.Open("/dev/null", create: false);
        var failure = Assert.Throws<DiskException>(file.Sync);
        Assert.Equal((Einval, "/dev/null"), (failure.Errno, failure.Path));
    }

    [Fact]
    public void A_sync_that_the_directory_does_not_know_is_a_failure()
        => Assert.Equal(Einval, Assert.Throws<DiskException>(() => _disk.SyncDirectory("/proc")).Errno);

    [Fact]
    public void Syncing_what_is_not_there_is_a_failure()
    {
        const int enoent = 2;
        Assert.Equal(enoent, Assert.Throws<DiskException>(() => _disk.SyncDirectory("/proc/none")).Errno);
        Assert.Equal(enoent, Assert.Throws<DiskException>(() => _disk.SyncAll("/proc/none")).Errno);
    }
}
