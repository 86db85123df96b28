using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace IotGateway.Log.Disk;

/// <summary>The machine's file systems.</summary>
sealed class LinuxDisk : IDisk
{
    const int Everyone = 0b111_111_111; // less the process's umask
    const int OwnerAndGroup = 0b110_100_000; // rw-r-----: plant data is not for everyone on the machine

    public IDiskFile Open(string path, bool create)
        => new LinuxFile(Handle(path, Native.ReadWrite | (create ? Native.Create : 0)), path);

    public IDiskFile OpenUncached(string path)
    {
        try
        {
            var direct = new DirectFile(Handle(path, Native.ReadOnly | Native.Direct), path);
            if (direct.Works) return direct;
            direct.Dispose();
        }
        catch (DiskException e) when (e.Errno == Native.Einval) { } // the file system has no direct reads
        var file = Handle(path, Native.ReadWrite);
        var plain = new LinuxFile(file, path);
        plain.Sync(); // dirty pages would stay
        if (Native.Advise(file, 0, 0, Native.DontNeed) is not 0 and var errno)
            throw new DiskException("Dropping cached pages of", path, errno, Marshal.GetPInvokeErrorMessage(errno));
        return plain;
    }

    public bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    // Not .NET's: a full disk must be told from other failures.
    public void CreateDirectory(string path)
    {
        if (Directory.Exists(path)) return;
        if (Path.GetDirectoryName(path) is { Length: > 0 } parent) CreateDirectory(parent);
        if (Native.MakeDirectory(path, Everyone) != 0 && Marshal.GetLastPInvokeError() != Native.Eexist) throw Native.Failure("Making directory", path);
    }

    public IReadOnlyList<string> Files(string directory)
        => Directory.Exists(directory) ? [.. Directory.EnumerateFiles(directory).Select(f => Path.GetFileName(f))] : [];

    public IReadOnlyList<string> Directories(string directory)
        => Directory.Exists(directory) ? [.. Directory.EnumerateDirectories(directory).Select(d => Path.GetFileName(d))] : [];

    public void Rename(string from, string to)
    {
        if (Native.Rename(from, to) != 0) throw Native.Failure("Renaming", from);
    }

    public void Link(string path, string name)
    {
        if (Native.Link(path, name) != 0) throw Native.Failure("Linking", path);
    }

    public void Delete(string path)
    {
        const int enoent = 2;
        if (Native.Unlink(path) != 0 && Marshal.GetLastPInvokeError() != enoent) throw Native.Failure("Deleting", path);
    }

    public void DeleteDirectory(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    public void SyncDirectory(string path)
    {
        using var directory = Handle(path, Native.ReadOnly);
        while (Native.Sync(directory) != 0)
            if (!Interrupted()) throw Native.Failure("Syncing directory", path);
    }

    public void SyncAll(string path)
    {
        using var directory = Handle(path, Native.ReadOnly);
        while (Native.SyncFileSystem(directory) != 0)
            if (!Interrupted()) throw Native.Failure("Syncing the file system of", path);
    }

    public long FreeBytes(string path) => new DriveInfo(path).AvailableFreeSpace;

    public void Allocate(string path, long bytes)
    {
        using var file = Handle(path, Native.ReadWrite | Native.Create);
        int errno;
        do errno = Native.Allocate(file, 0, bytes);
        while (errno == Native.Eintr);
        if (errno != 0) throw new DiskException("Allocating", path, errno, Marshal.GetPInvokeErrorMessage(errno));
    }

    public IDisposable? TryLock(string path)
    {
        var handle = Handle(path, Native.ReadWrite | Native.Create);
        if (Native.Lock(handle, Native.LockExclusive | Native.LockNonBlocking) == 0) return new DirectoryLock(handle);
        var failure = Native.Failure("Locking", path);
        handle.Dispose();
        return failure.Errno == Native.Ewouldblock ? null : throw failure;
    }

    static bool Interrupted() => Marshal.GetLastPInvokeError() == Native.Eintr;

    static SafeFileHandle Handle(string path, int flags)
    {
        int descriptor;
        do descriptor = Native.Open(path, flags | Native.CloseOnExec, OwnerAndGroup);
        while (descriptor < 0 && Interrupted());
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Native.Failure("Opening", path);
    }
}
