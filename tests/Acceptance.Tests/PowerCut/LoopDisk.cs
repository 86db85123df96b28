using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Acceptance.Tests.PowerCut;

/// <summary>
/// A disk with ext4 whose power can be cut: an image file behind a loop device. What a process wrote but did not sync is in the mount's
/// page cache and not in the image; that is what a cut loses. Needs root; where mounting is not possible, the test is skipped.
/// </summary>
/// <remarks>
/// A cut first shuts the file system down without writing its journal (EXT4_IOC_SHUTDOWN), so that the kernel's own write-back cannot go on
/// while the image is copied and the copy is the disk of one moment; then the image is copied, and the copy is the disk found afterwards.
/// </remarks>
sealed class LoopDisk : IAsyncDisposable
{
    const nuint Ext4Shutdown = 0x8004587D;      // fs/ext4/ext4.h: _IOR('X', 125, __u32)
    const uint NoLogFlush = 2;                  // EXT4_GOING_FLAGS_NOLOGFLUSH
    readonly string _folder = Directory.CreateTempSubdirectory("loopdisk-").FullName;
    int _image;
    bool _mounted, _kept, _frozen;

    LoopDisk() => Directory.CreateDirectory(Mount);

    /// <summary>Where it is mounted.</summary>
    public string Mount => Path.Combine(_folder, "mount");

    string Image => Path.Combine(_folder, $"disk{_image}.img");

    /// <summary>A new, empty, mounted disk.</summary>
    public static async Task<LoopDisk> CreateAsync(long bytes = 1L << 30)
    {
        if (GetEffectiveUser() != 0) Assert.Skip("A power cut needs root, to mount a disk of its own.");
        foreach (var program in new[] { "mkfs.ext4", "mount", "umount" })
            if (!Machine.OnPath(program)) Assert.Skip($"A power cut needs {program}, which is not installed.");
        var disk = new LoopDisk();
        await using (var file = File.Create(disk.Image)) file.SetLength(bytes);
        await Tool.RunAsync("mkfs.ext4", ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", disk.Image]);
        var answer = await Tool.RunAsync("mount", ["-o", "loop", disk.Image, disk.Mount], anyExit: true);
        disk._mounted = IsMountPoint(disk.Mount);
        if (disk._mounted) return disk;
        await disk.DisposeAsync();
        Assert.Skip("No loop device can be mounted here: " + answer.Trim());
        return disk;
    }

    /// <summary>Cuts the power now. Processes that use the disk should be stopped (SIGSTOP) before and must be killed after.</summary>
    public async Task CutAsync()
    {
        using (var root = OpenFolder(Mount))
        {
            var flags = NoLogFlush;
            if (Control((int)root.DangerousGetHandle(), Ext4Shutdown, ref flags) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError(), "The file system could not be shut down");
        }
        await Tool.RunAsync("cp", ["--sparse=always", Image, Path.Combine(_folder, $"disk{_image + 1}.img")]);
    }

    /// <summary>Gives the power back: the disk as it was at the cut is mounted in the same place. Nothing may use the old one any more.</summary>
    public async Task PowerOnAsync()
    {
        await UnmountAsync();
        File.Delete(Image);
        _image++;
        await Tool.RunAsync("mount", ["-o", "loop", Image, Mount]);
        _mounted = true;
    }

    /// <summary>From now on it does not answer those who write: they wait, in the kernel.</summary>
    public async Task FreezeAsync()
    {
        _frozen = true;
        await Tool.RunAsync("fsfreeze", ["--freeze", Mount]);
    }

    /// <summary>It answers again, if it did not.</summary>
    public async Task ThawAsync()
    {
        if (!_frozen) return;
        await Tool.RunAsync("fsfreeze", ["--unfreeze", Mount]);
        _frozen = false;
    }

    /// <summary>Checks the file system; it must be unmounted for that, and is mounted again.</summary>
    public async Task CheckAsync()
    {
        await UnmountAsync();
        await Tool.RunAsync("e2fsck", ["-f", "-n", Image]);
        await Tool.RunAsync("mount", ["-o", "loop", Image, Mount]);
        _mounted = true;
    }

    /// <summary>The image stays after the test, to be looked into; returns where it is.</summary>
    public string Keep()
    {
        _kept = true;
        return Image;
    }

    public async ValueTask DisposeAsync()
    {
        await ThawAsync();
        if (_mounted) await UnmountAsync();
        if (!_kept) Directory.Delete(_folder, recursive: true);
    }

    async Task UnmountAsync()
    {
        // A killed process may hold it for a moment longer.
        for (var i = 0; IsMountPoint(Mount); i++)
        {
            var answer = await Tool.RunAsync("umount", [Mount], anyExit: true);
            if (!IsMountPoint(Mount)) break;
            if (i == 50) throw new IOException("The disk is still in use: " + answer);
            await Task.Delay(100, CancellationToken.None);
        }
        _mounted = false;
    }

    static bool IsMountPoint(string path) => File.ReadLines("/proc/self/mounts").Any(l => l.Split(' ')[1] == path);

    static Microsoft.Win32.SafeHandles.SafeFileHandle OpenFolder(string path)
        => Open(path, 0) is >= 0 and var fd ? new(fd, ownsHandle: true) : throw new Win32Exception(Marshal.GetLastPInvokeError(), path);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    static extern int Control(int fd, nuint request, ref uint argument);

    [DllImport("libc", EntryPoint = "geteuid")]
    static extern uint GetEffectiveUser();
}
