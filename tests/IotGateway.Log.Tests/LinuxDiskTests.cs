using System.Globalization;
using System.Runtime.InteropServices;
using IotGateway.Log.Disk;
using Microsoft.Win32.SafeHandles;

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

    [Fact]
    public void A_lock_given_back_is_free_though_a_process_started_meanwhile_still_has_its_file()
    {
        using var directory = new TempDirectory();
        var path = Path.Combine(directory.Path, "lock");
        SafeFileHandle held;
        using (_disk.TryLock(path))
        {
            Assert.Null(_disk.TryLock(path));
            var descriptor = Directory.EnumerateFiles("/proc/self/fd").Single(f => new FileInfo(f).LinkTarget == path); // others come and go meanwhile
            held = new(Duplicate(int.Parse(Path.GetFileName(descriptor), CultureInfo.InvariantCulture)), ownsHandle: true); // as a fork does
        }
        using (held)
        using (var again = _disk.TryLock(path)) Assert.NotNull(again);
    }

    [DllImport("libc", EntryPoint = "dup")]
    static extern int Duplicate(int descriptor);
}
