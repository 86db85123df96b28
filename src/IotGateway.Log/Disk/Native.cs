using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace IotGateway.Log.Disk;

/// <summary>
/// The system calls the log stands on. Called directly because .NET's flush ignores some errors (EROFS, EINVAL) and has no directory
/// sync. 64-bit Linux only: <c>off_t</c> is 64 bits.
/// </summary>
static partial class Native
{
    public const int Eintr = 4, Eexist = 17, Ewouldblock = 11;
    public const int ReadOnly = 0, ReadWrite = 2, Create = 0x40, CloseOnExec = 0x80000;
    /// <summary>Another number on Arm: asm/fcntl.h.</summary>
    public static readonly int Direct = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x10000 : 0x4000;
    public const int Einval = 22, DontNeed = 4; // POSIX_FADV_DONTNEED
    public const uint StartWriting = 2; // SYNC_FILE_RANGE_WRITE, linux/fs.h
    public const int LockExclusive = 2, LockNonBlocking = 4, Unlock = 8;
    public const int MaxVectors = 1024; // IOV_MAX, limits.h

    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Vector
    {
        public void* Base;
        public nuint Length;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static unsafe partial nint Read(SafeFileHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static unsafe partial nint Write(SafeFileHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwritev", SetLastError = true)]
    public static unsafe partial nint WriteVectors(SafeFileHandle file, Vector* vectors, int count, long offset);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int DataSync(SafeFileHandle file);

    /// <summary>With <see cref="StartWriting"/> it begins to write dirty pages and does not wait: sync_file_range(2).</summary>
    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    public static partial int SyncRange(SafeFileHandle file, long offset, long count, uint flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFileSystem(SafeFileHandle file);

    /// <returns>An error number; errno is not set.</returns>
    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    public static partial int Allocate(SafeFileHandle file, long offset, long length);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectory(string path, int mode);

    /// <returns>An error number; errno is not set.</returns>
    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    public static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(SafeFileHandle file, long length);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Link(string path, string name);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    public static DiskException Failure(string operation, string path)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new(operation, path, errno, Marshal.GetPInvokeErrorMessage(errno));
    }
}
