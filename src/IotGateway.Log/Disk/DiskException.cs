namespace IotGateway.Log.Disk;

/// <summary>A file operation that failed, with the operating system's error number.</summary>
sealed class DiskException(string operation, string path, int errno, string reason)
    : IOException($"{operation} '{path}' failed: {reason} (errno {errno}).")
{
    public const int Enospc = 28;
    const int Edquot = 122;

    public int Errno { get; } = errno;

    public string Path { get; } = path;

    /// <summary>No space or quota left: passes when something is freed.</summary>
    public bool IsFull => Errno is Enospc or Edquot;
}
