using Microsoft.Win32.SafeHandles;

namespace IotGateway.Log.Disk;

/// <summary>
/// A lock by <c>flock(2)</c>, given back by disposing. Unlocked first: a process started at that moment has the file, too, until it runs its program,
/// and closing alone would leave it locked so long.
/// </summary>
sealed class DirectoryLock(SafeFileHandle handle) : IDisposable
{
    public void Dispose()
    {
        if (!handle.IsClosed) _ = Native.Lock(handle, Native.Unlock); // should it fail, closing is what is left
        handle.Dispose();
    }
}
