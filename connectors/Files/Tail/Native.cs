using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// What .NET does not offer: a file's identity (device, inode, birth), and opening without ever blocking on a pipe.
/// <c>statx</c> because its layout is the same on every architecture (linux/stat.h). Any thread; failures are IOException or UnauthorizedAccessException.
/// </summary>
static partial class Native
{
    const int AtFdCwd = -100, AtEmptyPath = 0x1000;                     // linux/fcntl.h
    const int OpenReadNonBlockCloseOnExec = 0x800 | 0x80000;            // O_RDONLY | O_NONBLOCK | O_CLOEXEC; alike on x86-64 and arm64
    const uint BasicStats = 0x7ff, BirthTime = 0x800;                   // STATX_BASIC_STATS, STATX_BTIME
    const int NoSuchFile = 2, NoAccess = 13, NotPermitted = 1, NotADirectory = 20;   // errno: ENOENT, EACCES, EPERM, ENOTDIR

    /// <summary>What a path names, links followed; null when nothing is there.</summary>
    public static FileStatus? Stat(string path)
    {
        if (StatX(AtFdCwd, path, 0, BasicStats | BirthTime, out var s) == 0) return s.ToStatus();
        var error = Marshal.GetLastPInvokeError();
        return error is NoSuchFile or NotADirectory ? null : throw Failure(error, path);
    }

    /// <summary>What an open file is now.</summary>
    public static FileStatus Stat(SafeFileHandle file, string path)
    {
        var held = false;
        try
        {
            file.DangerousAddRef(ref held);
            if (StatX((int)file.DangerousGetHandle(), "", AtEmptyPath, BasicStats | BirthTime, out var s) == 0) return s.ToStatus();
            throw Failure(Marshal.GetLastPInvokeError(), path);
        }
        finally
        {
            if (held) file.DangerousRelease();
        }
    }

    /// <summary>Opens for reading; null when nothing is there.</summary>
    public static SafeFileHandle? Open(string path)
    {
        var fd = OpenFile(path, OpenReadNonBlockCloseOnExec);
        if (fd >= 0) return new SafeFileHandle(fd, ownsHandle: true);
        var error = Marshal.GetLastPInvokeError();
        return error is NoSuchFile or NotADirectory ? null : throw Failure(error, path);
    }

    /// <summary>Where an open file really lies, every link resolved; immune to links being swapped after the opening.</summary>
    public static string RealPath(SafeFileHandle file)
    {
        var held = false;
        try
        {
            file.DangerousAddRef(ref held);
            return File.ResolveLinkTarget($"/proc/self/fd/{file.DangerousGetHandle()}", returnFinalTarget: false)?.FullName ?? "";
        }
        finally
        {
            if (held) file.DangerousRelease();
        }
    }

    static Exception Failure(int error, string path)
    {
        var message = $"{path}: {Marshal.GetPInvokeErrorMessage(error)}";
        return error is NoAccess or NotPermitted ? new UnauthorizedAccessException(message) : new IOException(message, error);
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX(int directory, string path, int flags, uint mask, out StatXBuffer buffer);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int OpenFile(string path, int flags);

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    struct StatXBuffer
    {
        [FieldOffset(0)] public uint Mask;
        [FieldOffset(16)] public uint Links;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(80)] public long BirthSeconds;
        [FieldOffset(88)] public uint BirthNanoseconds;
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;

        public readonly FileStatus ToStatus() => new(
            (ulong)DeviceMajor << 32 | DeviceMinor, Inode, (Mask & BirthTime) == 0 ? 0 : BirthSeconds * 1_000_000_000 + BirthNanoseconds,
            (long)Size, ModifiedSeconds * 1_000_000_000 + ModifiedNanoseconds, Links > 0, (Mode & 0xF000) == 0x8000);   // S_IFMT, S_IFREG
    }
}

/// <summary>A file as the file system knows it.</summary>
/// <param name="Device">Device it is on; may change when the machine restarts.</param>
/// <param name="Inode">Its number there; may be given to another file once it is deleted.</param>
/// <param name="Born">When it was made, nanoseconds since 1970; 0 where the file system does not say.</param>
/// <param name="Size">Length in bytes.</param>
/// <param name="Modified">When it was last written, nanoseconds since 1970.</param>
/// <param name="Linked">Whether any name leads to it.</param>
/// <param name="Regular">Whether it is a file and no folder, pipe or device.</param>
readonly record struct FileStatus(ulong Device, ulong Inode, long Born, long Size, long Modified, bool Linked, bool Regular);
